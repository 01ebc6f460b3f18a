//! Case and its parts: what each column means, and what it links to.

use crate::catalog::measure::{CountTarget, Interval, MeasureSpec, StatisticsSpec};
use crate::catalog::record::{Choice, Record, Vocabulary, choice, date, duration, number, one, text, translated};
use crate::core::pagination::Direction;
use crate::entity::{RecordType, case, case_event, case_party, charge, sentence};

static CASE_KIND: Vocabulary = Vocabulary {
    name: "CaseKind",
    doc: "What kind of proceeding a case is.",
    choices: &[
        Choice::new("criminal", "Criminal."),
        Choice::new("civil", "Civil."),
        Choice::new("administrative", "Administrative."),
        Choice::new("constitutional", "Constitutional."),
        Choice::new("international", "Before an international body."),
        Choice::new("other", "Any other."),
    ],
};

static CASE_STATUS: Vocabulary = Vocabulary {
    name: "CaseStatus",
    doc: "Where a case stands.",
    choices: &[
        Choice::new("investigation", "Under investigation."),
        Choice::new("pending", "Before the court."),
        Choice::new("decided", "Decided in the first instance."),
        Choice::new("on_appeal", "On appeal."),
        Choice::new("final", "Decided with no ordinary appeal left."),
        Choice::new("dismissed", "Ended without a judgment."),
        Choice::new("quashed", "The judgment was set aside."),
    ],
};

static PARTY_ROLE: Vocabulary = Vocabulary {
    name: "PartyRole",
    doc: "Part that a party takes in a case.",
    choices: &[
        Choice::new("suspect", "Suspected, not yet charged."),
        Choice::new("defendant", "Charged or sued."),
        Choice::new("plaintiff", "Brings a civil case."),
        Choice::new("applicant", "Applies to a court or international body."),
        Choice::new("respondent", "Answers an application."),
        Choice::new("victim", "Harmed by the act."),
        Choice::new("prosecutor", "Prosecutes."),
        Choice::new("lawyer", "Represents a party."),
        Choice::new("judge", "Judges."),
        Choice::new("witness", "Gives evidence."),
        Choice::new("other", "Any other."),
    ],
};

static CHARGE_OUTCOME: Vocabulary = Vocabulary {
    name: "ChargeOutcome",
    doc: "How a charge ended.",
    choices: &[
        Choice::new("pending", "Not decided yet."),
        Choice::new("convicted", "The party was found guilty."),
        Choice::new("acquitted", "The party was found not guilty."),
        Choice::new("dismissed", "Dropped without a judgment."),
        Choice::new("quashed", "The conviction was set aside."),
        Choice::new("unknown", "The sources do not say."),
    ],
};

static CASE_EVENT_KIND: Vocabulary = Vocabulary {
    name: "CaseEventKind",
    doc: "What kind of step in a case it was.",
    choices: &[
        Choice::new("conduct", "What the case is about was done."),
        Choice::new("arrest", "Arrest."),
        Choice::new("suspicion", "Named as a suspect."),
        Choice::new("charge", "Charged."),
        Choice::new("hearing", "A hearing."),
        Choice::new("verdict", "The judgment."),
        Choice::new("appeal", "An appeal was filed."),
        Choice::new("appeal_decision", "An appeal was decided."),
        Choice::new("opinion", "An outside body gave its opinion."),
        Choice::new("release", "Release."),
        Choice::new("other", "Any other step."),
    ],
};

static SENTENCE_KIND: Vocabulary = Vocabulary {
    name: "SentenceKind",
    doc: "What kind of penalty or order it is.",
    choices: &[
        Choice::new("fine", "A fine."),
        Choice::new("imprisonment", "Deprivation of liberty."),
        Choice::new("restriction_of_freedom", "Restriction of freedom: liberty under supervision."),
        Choice::new("corrective_work", "Work with part of the pay withheld."),
        Choice::new("forced_labour", "Unpaid compulsory work."),
        Choice::new("ban", "A ban on an activity or a post."),
        Choice::new("compensation", "Compensation to a victim."),
        Choice::new("other", "Any other."),
    ],
};

/// Parts of parties who are accused.
const ACCUSED: &[&str] = &["suspect", "defendant"];

fn statistics() -> StatisticsSpec {
    const PRISON: Interval = Interval::Length("sentences", "length");
    const TO_DECISION: Interval = Interval::Days("opened", "decided");
    let people =
        |name, doc| MeasureSpec::number(name, CountTarget::Referred("parties", "person"), doc).only_with("parties", "role", ACCUSED);
    StatisticsSpec {
        name: "caseStatistics",
        doc: "Counts of cases and of what is in them: how many cases, people, charges and convictions there are, how long sentences are, how long courts take. It counts the records here; figures that others published are statistics of a provision, law or jurisdiction.",
        measures: vec![
            MeasureSpec::number("count", CountTarget::Record, "Number of cases. A case with three defendants is one case; so is one with charges under two provisions."),
            people("people", "Number of different people who are named as suspects or defendants. A case with three defendants has three people; one person in two cases of the group counts once; parties without a name, such as bloggers, and organizations are not counted. Where rows are by provision, law, outcome or kind of sentence, or charges or sentences are narrowed: only people who are charged or sentenced so."),
            MeasureSpec::number("charges", CountTarget::Part("charges"), "Number of charges: one person charged under two provisions has two."),
            MeasureSpec::number("convictions", CountTarget::Part("charges"), "Number of charges that ended in a conviction which was not set aside. One person convicted under two provisions has two.")
                .only_with("charges", "outcome", &["convicted"]),
            MeasureSpec::number("casesWithConviction", CountTarget::Record, "Number of cases in which at least one charge ended in a conviction.")
                .only_with("charges", "outcome", &["convicted"]),
            people("peopleConvicted", "Number of different people, named as suspects or defendants, of whom a charge ended in a conviction. A charge of which no party is given counts for all who are accused in the case.")
                .only_with("charges", "outcome", &["convicted"]),
            MeasureSpec::number("sentences", CountTarget::Part("sentences"), "Number of penalties and orders that courts imposed: three years and a ban on a post are two."),
            MeasureSpec::measured("prisonSentences", PRISON, "Number of sentences of deprivation of liberty with a known length: those that medianSentence and meanSentence are of.")
                .only_with("sentences", "kind", &["imprisonment"]),
            MeasureSpec::median("medianSentence", PRISON, "Median length of sentences of deprivation of liberty, in months: half are no longer. Other penalties, such as restriction of freedom, are not in it, nor are sentences of unknown length. A year has twelve months, and a month 30.4375 days.")
                .only_with("sentences", "kind", &["imprisonment"]),
            MeasureSpec::mean("meanSentence", PRISON, "Mean length of sentences of deprivation of liberty, in months, of the same sentences as the median.")
                .only_with("sentences", "kind", &["imprisonment"]),
            MeasureSpec::measured("casesTimed", TO_DECISION, "Number of cases of which both the day they were opened and the day of the judgment are known: those that medianDaysToDecision and meanDaysToDecision are of."),
            MeasureSpec::median("medianDaysToDecision", TO_DECISION, "Median number of days from when a case was opened to its judgment, of cases of which both days are known."),
            MeasureSpec::mean("meanDaysToDecision", TO_DECISION, "Mean number of days from when a case was opened to its judgment, of cases of which both days are known."),
        ],
        narrowed: &["charges", "sentences"],
        ties: &[("charges", Some("party")), ("sentences", Some("party")), ("parties", None)],
    }
}

/// The records of this file.
pub fn records() -> Vec<Record> {
    vec![
        Record::root(RecordType::Case, case::Entity, "cases")
            .doc("A court case or a criminal case under investigation: one proceeding, however many people are parties to it.")
            .field(translated("title", case::Column::Title).doc("Name of the case.").label())
            .field(text("docketNumber", case::Column::DocketNumber).doc("Number the court or the investigators gave it.").search_name())
            .field(text("ecli", case::Column::Ecli).doc("European Case Law Identifier, where the case has one.").unique())
            .field(choice("kind", case::Column::Kind, &CASE_KIND).doc("What kind of proceeding it is."))
            .field(choice("status", case::Column::Status, &CASE_STATUS).doc("Where the case stands."))
            .field(date("opened", case::Column::Opened).doc("When the case began: the first arrest, suspicion or filing.").ordered())
            .field(date("decided", case::Column::Decided).doc("When the court gave its judgment.").ordered())
            .field(translated("summary", case::Column::Summary).doc("What the case is about, in a few sentences.").search_text())
            .field(
                one("court", case::Column::CourtId, RecordType::Organization)
                    .doc("Court that hears or heard the case.")
                    .inverse("cases", "Cases that this court heard."),
            )
            .field(
                one("jurisdiction", case::Column::JurisdictionId, RecordType::Jurisdiction)
                    .doc("Country or place this belongs to.")
                    .inverse("cases", "Cases of this jurisdiction."),
            )
            .default_order("opened", Direction::Desc)
            .dimension(
                "provision",
                &["charges", "provision"],
                "Provision that a charge is brought under. A case with charges under two provisions is in the group of each, so groups do not add up to the total.",
            )
            .dimension("law", &["charges", "provision", "law"], "Law of the provision that a charge is brought under.")
            .dimension(
                "outcome",
                &["charges", "outcome"],
                "How a charge ended. Together with provision or law it is the outcome of the charge under that provision.",
            )
            .dimension(
                "sentenceKind",
                &["sentences", "kind"],
                "Kind of a penalty that was imposed. Together with provision, law or outcome: on the party that was charged so.",
            )
            .statistics(statistics()),
        Record::part(
            RecordType::CaseParty,
            case_party::Entity,
            one("case", case_party::Column::CaseId, RecordType::Case)
                .doc("The case this belongs to.")
                .inverse("parties", "Who takes part in the case, and as what."),
        )
        .doc("Somebody who takes part in a case.")
        .field(
            one("person", case_party::Column::PersonId, RecordType::Person)
                .doc("The person, where named.")
                .inverse("caseParties", "Cases this person takes part in, and as what."),
        )
        .field(
            one("organization", case_party::Column::OrganizationId, RecordType::Organization)
                .doc("The organization, where the party is one.")
                .inverse("caseParties", "Cases this organization takes part in, and as what."),
        )
        .field(
            translated("description", case_party::Column::Description)
                .doc("Who the party is, where the sources name nobody, such as bloggers."),
        )
        .field(choice("role", case_party::Column::Role, &PARTY_ROLE).doc("Part taken in the case.")),
        Record::part(
            RecordType::Charge,
            charge::Entity,
            one("case", charge::Column::CaseId, RecordType::Case)
                .doc("The case this belongs to.")
                .inverse("charges", "What the case accuses its parties of, and with what outcome."),
        )
        .doc("An accusation in a case, under a provision of law.")
        .field(
            one("party", charge::Column::PartyId, RecordType::CaseParty)
                .doc("Party who is charged.")
                .inverse("charges", "Charges against this party."),
        )
        .field(
            one("provision", charge::Column::ProvisionId, RecordType::Provision)
                .doc("Provision the charge is brought under.")
                .inverse("charges", "Charges brought under this provision."),
        )
        .field(text("locator", charge::Column::Locator).doc("Part of the provision, such as part 4, item 2."))
        .field(date("date", charge::Column::Date).doc("When the charge was brought.").ordered())
        .field(choice("outcome", charge::Column::Outcome, &CHARGE_OUTCOME).doc("How the charge ended."))
        .field(translated("text", charge::Column::Text).doc("What the charge says.")),
        Record::part(
            RecordType::CaseEvent,
            case_event::Entity,
            one("case", case_event::Column::CaseId, RecordType::Case)
                .doc("The case this belongs to.")
                .inverse("events", "What happened in the case, step by step."),
        )
        .doc("A step in a case.")
        .field(date("date", case_event::Column::Date).doc("When it happened.").ordered())
        .field(choice("kind", case_event::Column::Kind, &CASE_EVENT_KIND).doc("What kind of step it was."))
        .field(
            one("organization", case_event::Column::OrganizationId, RecordType::Organization)
                .doc("Body that took the step.")
                .inverse("caseEvents", "Steps in cases that this body took."),
        )
        .field(translated("text", case_event::Column::Text).doc("What happened.")),
        Record::part(
            RecordType::Sentence,
            sentence::Entity,
            one("case", sentence::Column::CaseId, RecordType::Case)
                .doc("The case this belongs to.")
                .inverse("sentences", "What the court imposed, each penalty by itself."),
        )
        .doc("A penalty or order that a court imposed.")
        .field(
            one("party", sentence::Column::PartyId, RecordType::CaseParty)
                .doc("Party who was sentenced.")
                .inverse("sentences", "Sentences imposed on this party."),
        )
        .field(choice("kind", sentence::Column::Kind, &SENTENCE_KIND).doc("What kind of penalty it is."))
        .field(duration("length", sentence::Column::Length, sentence::Column::LengthMinutes).doc("How long it lasts, as an ISO 8601 duration: P3Y is three years."))
        .field(number("amount", sentence::Column::Amount).doc("Amount, in the unit given beside it."))
        .field(text("unit", sentence::Column::Unit).doc("Unit of the amount, such as KZT, MCI or hours a year."))
        .field(translated("text", sentence::Column::Text).doc("What the court ordered.")),
    ]
}
