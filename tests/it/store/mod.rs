//! Object stores: the program against servers of their protocols, through a proxy that injects
//! faults.

mod azurite;
mod credentials;
mod http;
mod input_cuts;
mod inputs;
mod moto;
mod output_cuts;
mod outputs;
mod proxy;
mod server;

/// The environment variable that requests faults at every byte instead of at a sample.
const ALL_FAULTS: &str = "BACKTRAIL_TEST_ALL_FAULTS";
