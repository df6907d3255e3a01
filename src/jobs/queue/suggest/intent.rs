//! Judges the buying intent behind the events of one name, with reasons.

use super::word::{Meaning, meaning};

/// The fraction of all signals, and the number, from which events count as very frequent.
const FREQUENT: f64 = 0.2;
const FREQUENT_FROM: u64 = 50;
/// The fraction of all signals up to which events count as rare, and the number of signals from
/// which this is meaningful.
const RARE: f64 = 0.01;
const RARE_AMONG: u64 = 1_000;
/// The minimum number of events before an identify call that count as a sign of intent.
const FEWEST_BEFORE: u64 = 2;

/// Counts for the events of one name.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Figures {
    /// The number of events, without duplicates.
    pub events: u64,
    /// The number of distinct visitors.
    pub visitors: u64,
    /// The number of visitors that resolve to an e-mail.
    pub known: u64,
    /// The number of events in the hour before their visitor was identified.
    pub before_identify: u64,
    /// The number of events with an e-mail address.
    pub with_email: u64,
}

/// Counts for all signals, for comparison.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Usual {
    /// The number of signals.
    pub signals: u64,
    /// The number of signals in the hour before their visitor was identified.
    pub before_identify: u64,
}

/// The level of intent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// No intent: machines, very frequent events, or people who leave.
    Noise,
    /// No evidence for or against intent.
    Undecided,
    /// Some intent.
    Some,
    /// High intent.
    High,
}

/// The judgement of the events of one name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// The level of intent.
    pub level: Level,
    /// The points for intent minus the points against it.
    pub points: i64,
    /// The reasons.
    pub reasons: Vec<String>,
}

/// Judges the events called `name`. `is_view` says that they are views of pages, which are always
/// frequent.
#[allow(clippy::cast_precision_loss)] // shares
pub fn judge(name: &str, figures: &Figures, usual: Usual, is_view: bool) -> Verdict {
    let Figures { events, before_identify, with_email, .. } = *figures;
    let (mut points, mut reasons) = (0, Vec::new());
    let said = meaning(name);
    if let Some((meaning, word)) = &said {
        let (worth, what) = match meaning {
            Meaning::Buying => (4, "speaks of buying"),
            Meaning::Trying => (2, "speaks of trying the product"),
            Meaning::Reading => (1, "speaks of reading"),
            Meaning::Routine => (0, "speaks of what everyone does"),
            Meaning::Leaving => (-4, "speaks of leaving: a negative score may fit"),
            Meaning::Noise => (-4, "speaks of machines, or of what every visitor does"),
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
    } else if share >= FREQUENT && events >= FREQUENT_FROM && !(is_view && points > 0) {
        points -= 3;
        reasons.push(format!("comes in masses: {:.1} % of all signals", share * 100.0));
    }
    if reasons.is_empty() {
        reasons.push("neither its name, its number nor what follows it tells of intent".into());
    }
    Verdict { level: level(points, said.map(|(meaning, _)| meaning)), points, reasons }
}

fn level(points: i64, meaning: Option<Meaning>) -> Level {
    let level = match points {
        4.. => Level::High,
        2.. => Level::Some,
        -1.. => Level::Undecided,
        _ => Level::Noise,
    };
    match meaning {
        Some(Meaning::Reading) => level.min(Level::Some),
        Some(Meaning::Routine) => level.min(Level::Undecided),
        Some(Meaning::Leaving | Meaning::Noise) => Level::Noise,
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
        // The word is unknown, but people are identified right after the event.
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
