//! What a function may do and use while it is tried: what the settings say, and the options.

use relapse_capture::sandbox::landlock_version;
use relapse_generator::verify::Bounds;

use crate::arguments::Sandbox;
use crate::console::Console;
use crate::failure::Failure;

/// Says where the kernel does not guard files.
pub(crate) fn warn_where_unguarded(console: &mut Console) {
    if landlock_version().is_none() {
        console.warn("this kernel has no Landlock: the functions that are called run with your rights, and may write where they want to");
    }
}

/// The settings' bounds, widened by the options.
pub(crate) fn widened(mut settings: Bounds, options: &Sandbox) -> Result<Bounds, Failure> {
    for path in &options.allow_write {
        let allowed = path.canonicalize().map_err(|error| {
            Failure::bad_input(format!("failed to allow writing to {}", path.display()))
                .because(&error)
                .advise("name a file or folder that is there: the folder of a file that is to be made")
        })?;
        settings.permissions.writable.push(allowed);
    }
    settings.permissions.network |= options.allow_net;
    Ok(settings)
}
