//! The settings as a commented file that can be read back.

use super::{Loaded, SETTINGS};
use std::fmt::{self, Display};

impl Loaded {
    /// All settings as TOML, with what they mean and where they come from. Secrets are left out.
    #[must_use]
    pub fn to_toml(&self) -> impl Display + use<'_> {
        Printed(self)
    }
}

struct Printed<'a>(&'a Loaded);

impl Display for Printed<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "# The configuration of Keystead. Each setting is also a variable of the environment (pool_size: KEYSTEAD_POOL_SIZE)\n\
             # and a flag (--pool-size). A flag beats the environment, which beats this file.\n",
        )?;
        let values = toml::Table::try_from(&self.0.config).map_err(|_| fmt::Error)?;
        let mut group = "";
        for setting in SETTINGS {
            if setting.group != group {
                group = setting.group;
                write!(f, "\n\n### {group} ###\n")?;
            }
            f.write_str("\n")?;
            for line in setting.description.lines() {
                writeln!(f, "# {}", line.trim())?;
            }
            if let Some(origin) = self.0.origins.get(setting.name) {
                writeln!(f, "# Set by {origin}.")?;
            }
            let value = values.get(setting.name).ok_or(fmt::Error)?;
            if !setting.secret {
                writeln!(f, "{} = {value}", setting.name)?;
            } else if self.0.origins.contains_key(setting.name) {
                writeln!(f, "# {} = (set, not shown)", setting.name)?;
            } else {
                writeln!(f, "# {} = \"\"", setting.name)?;
            }
        }
        Ok(())
    }
}
