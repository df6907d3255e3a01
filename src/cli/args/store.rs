//! The arguments of the commands that read objects.

use clap::Args;

/// How object stores are reached.
#[derive(Clone, Copy, Debug, Args)]
#[command(next_help_heading = "Object storage")]
pub struct StoreArgs {
    /// Read and write objects without credentials, where anybody may
    ///
    /// Without it, credentials are found as the platform's own tools find them: in the environment,
    /// in profiles (`AWS_PROFILE`), from single sign-on, a web identity, a container or an instance;
    /// Google's application default credentials; the Azure command line or a managed identity. They
    /// never stand in arguments.
    #[arg(long)]
    pub no_sign_request: bool,
}
