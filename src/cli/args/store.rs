//! The arguments of the commands that read objects.

use clap::Args;

/// How object stores are reached.
#[derive(Clone, Copy, Debug, Args)]
#[command(next_help_heading = "Object storage")]
pub struct StoreArgs {
    /// Access object storage without credentials
    ///
    /// For public buckets. By default, credentials are found as by the tools of each platform: in
    /// the environment, in profiles (`AWS_PROFILE`), from single sign-on, a web identity, a
    /// container or an instance; from Google's application default credentials; and from the Azure
    /// command line or a managed identity. They are never passed as arguments.
    #[arg(long)]
    pub no_sign_request: bool,
}
