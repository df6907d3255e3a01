//! Colours of the terminal, by what they mean. No colour says what the text does not say.

/// Whether text is coloured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Colour {
    /// With ANSI escapes.
    On,
    /// Plain text.
    Off,
}

/// What a colour means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    /// As it should be.
    Good,
    /// Worth a look.
    Doubtful,
    /// Wrong.
    Bad,
    /// Worth knowing.
    Note,
    /// Of less weight than what stands around it.
    Faint,
    /// Of more weight than what stands around it.
    Strong,
}

impl Tone {
    /// The tone of a light of the plan: `green`, `amber` or `red`.
    pub fn of_light(light: &str) -> Self {
        match light {
            "green" => Self::Good,
            "amber" => Self::Doubtful,
            _ => Self::Bad,
        }
    }

    /// The parameter of the ANSI escape.
    fn code(self) -> &'static str {
        match self {
            Self::Good => "32",
            Self::Doubtful => "33",
            Self::Bad => "31",
            Self::Note => "36",
            Self::Faint => "2",
            Self::Strong => "1",
        }
    }
}

impl Colour {
    /// `text` in the colour of `tone`.
    pub fn paint(self, text: &str, tone: Tone) -> String {
        match self {
            Self::On if !text.is_empty() => format!("\x1b[{}m{text}\x1b[0m", tone.code()),
            _ => text.to_owned(),
        }
    }
}
