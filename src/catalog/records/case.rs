//! Declaration of cases and their parts.

use crate::catalog::field::{choice, date, duration, number, one, text, translated};
use crate::catalog::kind::{Choice, Vocabulary};
use crate::catalog::measure::{CountTarget, Interval, MeasureSpec, StatisticsSpec};
use crate::catalog::record::Record;
use crate::core::pagination::Direction;
use crate::entity::RecordType;

static CASE_KIND: Vocabulary = Vocabulary {
    name: "CaseKind",
    doc: "Type of proceeding.",
    choices: &[
        Choice::new("criminal", "Criminal proceeding."),
        Choice::new("civil", "Civil proceeding."),
        Choice::new("administrative", "Administrative proceeding."),
        Choice::new("constitutional", "Constitutional proceeding."),
        Choice::new("international", "Proceeding before an international body."),
        Choice::new("other", "Other."),
    ],
};

static CASE_STATUS: Vocabulary = Vocabulary {
    name: "CaseStatus",
    doc: "Status of a case.",
    choices: &[
        Choice::new("investigation", "Under investigation."),
        Choice::new("pending", "Pending before a court."),
        Choice::new("decided", "Decided at first instance."),
        Choice::new("on_appeal", "On appeal."),
        Choice::new("final", "Decided, with no ordinary appeal left."),
        Choice::new("dismissed", "Ended without a judgment."),
        Choice::new("quashed", "The judgment was set aside."),
    ],
};

static PARTY_ROLE: Vocabulary = Vocabulary {
    name: "PartyRole",
    doc: "Role of a party in a case.",
    choices: &[
        Choice::new("suspect", "Suspected but not yet charged."),
        Choice::new("defendant", "Charged or sued."),
        Choice::new("plaintiff", "Brings a civil action."),
        Choice::new("applicant", "Applies to a court or international body."),
        Choice::new("respondent", "Responds to an application."),
        Choice::new("victim", "Harmed by the alleged conduct."),
        Choice::new("prosecutor", "Prosecutes the case."),
        Choice::new("lawyer", "Represents a party."),
        Choice::new("judge", "Hears and decides the case."),
        Choice::new("witness", "Gives evidence."),
        Choice::new("other", "Other."),
    ],
};

static CHARGE_OUTCOME: Vocabulary = Vocabulary {
    name: "ChargeOutcome",
    doc: "Outcome of a charge.",
    choices: &[
        Choice::new("pending", "Not yet decided."),
        Choice::new("convicted", "The party was found guilty."),
        Choice::new("acquitted", "The party was found not guilty."),
        Choice::new("dismissed", "Dropped or dismissed without a judgment."),
        Choice::new("quashed", "The conviction was set aside."),
        Choice::new("unknown", "The sources do not say."),
    ],
};

static CASE_EVENT_KIND: Vocabulary = Vocabulary {
    name: "CaseEventKind",
    doc: "Type of event in a case.",
    choices: &[
        Choice::new("conduct", "The alleged conduct took place."),
        Choice::new("arrest", "A party was arrested."),
        Choice::new("suspicion", "A party was named as a suspect."),
        Choice::new("charge", "A party was charged."),
        Choice::new("hearing", "A hearing was held."),
        Choice::new("verdict", "The court gave its judgment."),
        Choice::new("appeal", "An appeal was filed."),
        Choice::new("appeal_decision", "An appeal was decided."),
        Choice::new("opinion", "A body outside the proceeding gave its opinion."),
        Choice::new("release", "A party was released."),
        Choice::new("other", "Other."),
    ],
};

static SENTENCE_KIND: Vocabulary = Vocabulary {
    name: "SentenceKind",
    doc: "Type of penalty or order.",
    choices: &[
        Choice::new("fine", "A fine."),
        Choice::new("imprisonment", "Imprisonment or another deprivation of liberty."),
        Choice::new("restriction_of_freedom", "Liberty under supervision."),
        Choice::new("corrective_work", "Work with part of the wages withheld."),
        Choice::new("forced_labour", "Unpaid compulsory work."),
        Choice::new("ban", "A ban on an activity or on holding an office."),
        Choice::new("compensation", "Compensation to a victim."),
        Choice::new("other", "Other."),
    ],
};

/// Roles of accused parties.
const ACCUSED: &[&str] = &["suspect", "defendant"];

fn statistics() -> StatisticsSpec {
    const PRISON: Interval = Interval::Duration("sentences", "length");
    const TO_DECISION: Interval = Interval::Days("openedOn", "decidedOn");
    let people =
        |name, doc| MeasureSpec::count(name, CountTarget::PartReference("parties", "person"), doc).only_parts("parties", "role", ACCUSED);
    StatisticsSpec {
        name: "caseStatistics",
        doc: "Counts of the cases in this dataset, with their people, charges, convictions, length of sentences and duration of proceedings. For figures that others published, see statistics of a provision, law or jurisdiction.",
        measures: vec![
            MeasureSpec::count("count", CountTarget::Record, "Number of cases. A case with several defendants, or with charges under several provisions, counts once."),
            people("people", "Number of distinct people named as suspects or defendants. A person in several cases of the group counts once; organizations and unnamed parties do not count. If rows are grouped by provision, law, outcome or kind of sentence, or if charges or sentences are filtered, only people with such a charge or sentence count."),
            MeasureSpec::count("charges", CountTarget::Part("charges"), "Number of charges. One person charged under two provisions has two charges."),
            MeasureSpec::count("convictions", CountTarget::Part("charges"), "Number of charges that ended in a conviction that was not set aside. One person convicted under two provisions has two convictions.")
                .only_parts("charges", "outcome", &["convicted"]),
            MeasureSpec::count("casesWithConviction", CountTarget::Record, "Number of cases with at least one conviction.")
                .only_parts("charges", "outcome", &["convicted"]),
            people("peopleConvicted", "Number of distinct people, named as suspects or defendants, with at least one conviction. A charge without a party counts for every accused person in the case.")
                .only_parts("charges", "outcome", &["convicted"]),
            MeasureSpec::count("sentences", CountTarget::Part("sentences"), "Number of penalties and orders that courts imposed. Three years of imprisonment and a ban on holding an office are two."),
            MeasureSpec::sample_size("prisonSentences", PRISON, "Number of prison sentences of known length, from which medianSentence and meanSentence are computed.")
                .only_parts("sentences", "kind", &["imprisonment"]),
            MeasureSpec::median("medianSentence", PRISON, "Median length of prison sentences of known length, in months. Other penalties, such as restriction of freedom, are not included. A year has 12 months, and a month has 30.4375 days.")
                .only_parts("sentences", "kind", &["imprisonment"]),
            MeasureSpec::mean("meanSentence", PRISON, "Mean length of the same sentences as medianSentence, in months.")
                .only_parts("sentences", "kind", &["imprisonment"]),
            MeasureSpec::sample_size("casesTimed", TO_DECISION, "Number of cases from which medianDaysToDecision and meanDaysToDecision are computed: those whose opening and judgment are both known to the day."),
            MeasureSpec::median("medianDaysToDecision", TO_DECISION, "Median number of days from the opening of a case to its judgment, where both are known to the day."),
            MeasureSpec::mean("meanDaysToDecision", TO_DECISION, "Mean number of days from the opening of a case to its judgment, where both are known to the day."),
        ],
        filterable_lists: &["charges", "sentences"],
        join_keys: &[("charges", Some("party")), ("sentences", Some("party")), ("parties", None)],
    }
}

/// The declared record types of this file.
#[expect(clippy::too_many_lines, reason = "it is a list of declarations")]
pub fn records() -> Vec<Record> {
    vec![
        Record::root(RecordType::Case, "cases", "cases")
            .doc("A court case or a criminal investigation. One proceeding is one case, whatever the number of parties.")
            .with_field(translated("title").required().doc("Name of the case.").label())
            .with_field(text("docketNumber").doc("Number assigned by the court or the investigators.").search_name())
            .with_field(text("ecli").doc("European Case Law Identifier (ECLI).").unique())
            .with_field(choice("kind", &CASE_KIND).required().doc("Type of proceeding."))
            .with_field(choice("status", &CASE_STATUS).required().doc("Status of the case."))
            .with_field(date("openedOn").doc("Date on which the case began, with the first arrest, suspicion or filing.").ordered())
            .with_field(date("decidedOn").doc("Date of the judgment.").ordered())
            .with_field(translated("summary").lines().doc("Summary of the case in a few sentences.").search_text())
            .with_field(
                one("court", RecordType::Organization)
                    .doc("Court that hears the case.")
                    .inverse("cases", "Cases before this court."),
            )
            .with_field(
                one("jurisdiction", RecordType::Jurisdiction)
                    .doc("Jurisdiction to which the record belongs.")
                    .inverse("cases", "Cases of this jurisdiction."),
            )
            .default_order("openedOn", Direction::Desc)
            .dimension(
                "provision",
                &["charges", "provision"],
                "Provision under which a charge is brought. A case with charges under several provisions is in the group of each, so groups do not add up to the total.",
            )
            .dimension("law", &["charges", "provision", "law"], "Law of the provision under which a charge is brought.")
            .dimension(
                "outcome",
                &["charges", "outcome"],
                "Outcome of a charge. Combined with provision or law, outcome of the charge under that provision.",
            )
            .dimension(
                "sentenceKind",
                &["sentences", "kind"],
                "Type of penalty imposed. Combined with provision, law or outcome, penalty imposed on the party with that charge.",
            )
            .statistics(statistics()),
        Record::part(
            RecordType::CaseParty,
            "case_parties",
            one("case", RecordType::Case).required()
                .doc("Case to which this belongs.")
                .inverse("parties", "Parties to the case, with their roles."),
        )
        .doc("A participant in a case, in one role.")
        .may_be_alike("parties that the sources do not name can have the same description")
        .with_field(
            one("person", RecordType::Person)
                .doc("The person, if named.")
                .inverse("caseParties", "Cases in which this person takes part, with the role."),
        )
        .with_field(
            one("organization", RecordType::Organization)
                .doc("The organization, if the party is one.")
                .inverse("caseParties", "Cases in which this organization takes part, with the role."),
        )
        .with_field(
            translated("description").lines()
                .doc("Description of a party that the sources do not name, such as a group of bloggers."),
        )
        .with_field(choice("role", &PARTY_ROLE).required().doc("Role in the case.")),
        Record::part(
            RecordType::Charge,
            "charges",
            one("case", RecordType::Case).required()
                .doc("Case to which this belongs.")
                .inverse("charges", "Charges in the case, with their outcomes."),
        )
        .doc("A charge in a case, brought under a provision of law.")
        .may_be_alike("a party can be charged with several offences under one provision")
        .with_field(
            one("party", RecordType::CaseParty)
                .doc("Party charged.")
                .inverse("charges", "Charges against this party."),
        )
        .with_field(
            one("provision", RecordType::Provision)
                .doc("Provision under which the charge is brought.")
                .inverse("charges", "Charges brought under this provision."),
        )
        .with_field(text("locator").doc("Subdivision of the provision, such as part 4, item 2."))
        .with_field(date("date").doc("Date on which the charge was brought.").ordered())
        .with_field(choice("outcome", &CHARGE_OUTCOME).required().doc("Outcome of the charge."))
        .with_field(translated("text").lines().doc("Wording of the charge.")),
        Record::part(
            RecordType::CaseEvent,
            "case_events",
            one("case", RecordType::Case).required()
                .doc("Case to which this belongs.")
                .inverse("events", "Events in the case, in order."),
        )
        .doc("An event in a case.")
        .may_be_alike("a case can have several events of one kind on a day, such as searches")
        .with_field(date("date").doc("Date of the event.").ordered())
        .with_field(choice("kind", &CASE_EVENT_KIND).required().doc("Type of event."))
        .with_field(
            one("organization", RecordType::Organization)
                .doc("Body that took this step.")
                .inverse("caseEvents", "Events in cases in which this body acted."),
        )
        .with_field(translated("text").lines().required().doc("Description of the event.")),
        Record::part(
            RecordType::Sentence,
            "sentences",
            one("case", RecordType::Case).required()
                .doc("Case to which this belongs.")
                .inverse("sentences", "Penalties and orders that the court imposed."),
        )
        .doc("A penalty or order that a court imposed.")
        .may_be_alike("a party can be sentenced to the same penalty for each of its charges")
        .with_field(
            one("party", RecordType::CaseParty)
                .doc("Party sentenced.")
                .inverse("sentences", "Sentences imposed on this party."),
        )
        .with_field(choice("kind", &SENTENCE_KIND).required().doc("Type of penalty or order."))
        .with_field(duration("length").doc("Length as an ISO 8601 duration, such as P3Y for three years."))
        .with_field(number("amount").doc("Amount, in the unit of the field unit."))
        .with_field(text("unit").doc("Unit of the amount, such as KZT, MCI or hours a year."))
        .with_field(translated("text").lines().doc("Wording of the sentence.")),
    ]
}
