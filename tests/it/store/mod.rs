//! Object stores: the program against servers that speak their protocols, through a proxy that
//! injects faults.

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

/// With this variable set, faults come at every byte; without it, at some.
const ALL_FAULTS: &str = "BACKTRAIL_TEST_ALL_FAULTS";
