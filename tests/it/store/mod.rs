//! Object stores: the program against servers that speak their protocols, through a proxy that
//! injects faults.

mod azurite;
mod http;
mod moto;
mod outputs;
mod proxy;
mod server;
