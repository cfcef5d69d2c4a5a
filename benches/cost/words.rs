//! `name=value` words: how the processes of this program tell each other what to do. A person can
//! write them, too.

use std::collections::HashMap;
use std::str::FromStr;

#[derive(Debug, Default)]
pub(crate) struct Words(HashMap<String, String>);

impl Words {
    pub(crate) fn new(arguments: &[String]) -> Self {
        let pair = |argument: &String| {
            let pair = argument.split_once('=');
            let (name, value) = pair.unwrap_or_else(|| panic!("{argument}: want name=value"));
            (name.to_owned(), value.to_owned())
        };
        Self(arguments.iter().map(pair).collect())
    }

    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    pub(crate) fn value<T: FromStr>(&self, name: &str) -> Option<T> {
        let text = self.text(name)?;
        let value = text.parse().ok();
        Some(value.unwrap_or_else(|| panic!("{name}={text} makes no sense")))
    }

    pub(crate) fn want<T: FromStr>(&self, name: &str) -> T {
        self.value(name)
            .unwrap_or_else(|| panic!("{name}= is missing"))
    }
}
