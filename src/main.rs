//! The command line of Keystead.

use std::process::ExitCode;

fn main() -> ExitCode {
    let text = keystead::graphql::schema::sdl();
    match std::io::Write::write_all(&mut std::io::stdout(), text.as_bytes()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}
