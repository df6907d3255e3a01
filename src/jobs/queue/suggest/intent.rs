//! How much intent there is behind the events of one name, and why.

use super::word::{Sense, sense};

/// From this share of all signals on, and from this number, events come in masses.
const MASSES: f64 = 0.2;
const FEWEST_MASSES: u64 = 50;
/// Up to this share of all signals they are rare, where there are so many signals.
const RARE: f64 = 0.01;
const RARE_AMONG: u64 = 1_000;
/// How often, of events that precede an identify call, at least so many do.
const FEWEST_BEFORE: u64 = 2;

/// What is known of the events of one name.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Figures {
    /// How many there are, duplicates aside.
    pub events: u64,
    /// Different visitors.
    pub visitors: u64,
    /// Those that lead to an e-mail.
    pub known: u64,
    /// Events in the hour before their visitor was tied to someone.
    pub before_identify: u64,
    /// Events that carry an e-mail address.
    pub with_email: u64,
}

/// What all signals together are.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Usual {
    /// How many signals there are.
    pub signals: u64,
    /// Those of them in the hour before their visitor was tied to someone.
    pub before_identify: u64,
}

/// How much intent there is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Machines, masses, or people who go away.
    Noise,
    /// Nothing speaks for it, nothing against.
    Undecided,
    /// Some.
    Some,
    /// Much.
    High,
}

/// What is thought of the events of one name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// How much intent.
    pub level: Level,
    /// What speaks for it, less what speaks against.
    pub points: i64,
    /// Why.
    pub reasons: Vec<String>,
}

/// Judges events called `name`; `is_view` where they are views of pages, of which there are always
/// many.
#[allow(clippy::cast_precision_loss)] // shares
pub fn judge(name: &str, figures: &Figures, usual: Usual, is_view: bool) -> Verdict {
    let Figures { events, before_identify, with_email, .. } = *figures;
    let (mut points, mut reasons) = (0, Vec::new());
    let said = sense(name);
    if let Some((sense, word)) = &said {
        let (worth, what) = match sense {
            Sense::Buying => (4, "speaks of buying"),
            Sense::Trying => (2, "speaks of trying the product"),
            Sense::Reading => (1, "speaks of reading"),
            Sense::Routine => (0, "speaks of what everyone does"),
            Sense::Leaving => (-4, "speaks of leaving: a negative score may fit"),
            Sense::Noise => (-4, "speaks of machines, or of what every visitor does"),
        };
        points += worth;
        reasons.push(format!("`{word}` {what}"));
    }
    if with_email * 2 >= events && with_email > 0 {
        points += 2;
        reasons.push(format!("{with_email} of {events} carry an e-mail address"));
    }
    let rate = before_identify as f64 / events.max(1) as f64;
    let usual_rate = usual.before_identify as f64 / usual.signals.max(1) as f64;
    let lift = if usual_rate > 0.0 { rate / usual_rate } else { 0.0 };
    if before_identify >= FEWEST_BEFORE && lift >= 2.0 {
        points += if lift >= 4.0 && rate >= 0.3 { 3 } else { 1 };
        reasons.push(format!(
            "{before_identify} of {events} came in the hour before an identify call, {lift:.1} \
             times as often as usual"
        ));
    }
    let share = events as f64 / usual.signals.max(1) as f64;
    if share <= RARE && usual.signals >= RARE_AMONG {
        points += 1;
        reasons.push(format!("rare: {:.2} % of all signals", share * 100.0));
    } else if share >= MASSES && events >= FEWEST_MASSES && !(is_view && points > 0) {
        points -= 3;
        reasons.push(format!("comes in masses: {:.1} % of all signals", share * 100.0));
    }
    if reasons.is_empty() {
        reasons.push("neither its name, its number nor what follows it tells of intent".into());
    }
    Verdict { level: level(points, said.map(|(sense, _)| sense)), points, reasons }
}

fn level(points: i64, sense: Option<Sense>) -> Level {
    let level = match points {
        4.. => Level::High,
        2.. => Level::Some,
        -1.. => Level::Undecided,
        _ => Level::Noise,
    };
    match sense {
        Some(Sense::Reading) => level.min(Level::Some),
        Some(Sense::Routine) => level.min(Level::Undecided),
        Some(Sense::Leaving | Sense::Noise) => Level::Noise,
        _ => level,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const USUAL: Usual = Usual { signals: 10_000, before_identify: 200 };

    fn judged(name: &str, events: u64, before_identify: u64, with_email: u64) -> Level {
        let figures = Figures { events, before_identify, with_email, ..Figures::default() };
        judge(name, &figures, USUAL, false).level
    }

    #[test]
    fn intent_is_told_by_name_by_rarity_and_by_what_follows() {
        assert_eq!(judged("Demo Requested", 300, 0, 0), Level::High);
        assert_eq!(judged("Webinar Joined", 300, 0, 0), Level::Some);
        // Nobody knows the word, but people are identified right after it.
        assert_eq!(judged("Rechner benutzt", 80, 40, 0), Level::High);
        assert_eq!(judged("Rechner benutzt", 800, 40, 0), Level::Undecided);
        assert_eq!(judged("Rechner benutzt", 800, 40, 700), Level::Some);
        assert_eq!(judged("Rechner benutzt", 4_000, 80, 0), Level::Noise);
    }

    #[test]
    fn some_names_are_never_high() {
        assert_eq!(judged("Newsletter Subscribed", 20, 15, 20), Level::Some);
        assert_eq!(judged("Signed In", 50, 50, 50), Level::Undecided);
        assert_eq!(judged("Payment Error", 20, 10, 20), Level::Noise);
        assert_eq!(judged("Unsubscribed", 20, 10, 20), Level::Noise);
    }

    #[test]
    fn the_reasons_say_what_was_counted() {
        let figures =
            Figures { events: 50, before_identify: 20, with_email: 40, ..Figures::default() };
        let verdict = judge("Demo Requested", &figures, USUAL, false);
        assert_eq!(
            verdict.reasons,
            [
                "`demo` speaks of buying",
                "40 of 50 carry an e-mail address",
                "20 of 50 came in the hour before an identify call, 20.0 times as often as usual",
                "rare: 0.50 % of all signals",
            ]
        );
        assert_eq!((verdict.level, verdict.points), (Level::High, 10));
    }
}
