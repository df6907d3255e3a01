//! Terminal colours, chosen by meaning. Colour never carries information that the text lacks.

/// Whether text is coloured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Colour {
    /// Coloured with ANSI escapes.
    On,
    /// Plain text.
    Off,
}

/// The meaning of a colour.
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
    /// Less important than the text around it.
    Faint,
    /// More important than the text around it.
    Strong,
}

impl Tone {
    /// Returns the tone of a traffic light of the plan: `green`, `amber` or `red`.
    pub fn of_light(light: &str) -> Self {
        match light {
            "green" => Self::Good,
            "amber" => Self::Doubtful,
            _ => Self::Bad,
        }
    }

    /// Returns the parameter of the ANSI escape.
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
    /// Returns `text` in the colour of `tone`.
    pub fn paint(self, text: &str, tone: Tone) -> String {
        match self {
            Self::On if !text.is_empty() => format!("\x1b[{}m{text}\x1b[0m", tone.code()),
            _ => text.to_owned(),
        }
    }
}
