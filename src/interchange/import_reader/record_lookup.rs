//! Lookup of the records that the target of an import has: a database, or a running server.

use std::collections::HashMap;

use chrono::NaiveDate;

use crate::core::error::Error;
use crate::entity::RecordType;
use crate::store::Store;
use crate::store::read::membership_lookup::StoredMembership;
use crate::store::read::provision_lookup::StoredProvision;

/// The target of an import, as far as records must be found in it before they are converted. A record is found by an
/// identifier or by an address that is its own, never by its name.
pub trait RecordLookup {
    /// Why a lookup failed.
    type Error;

    /// The current day at the target.
    fn today(&self) -> NaiveDate;

    /// Slugs of the records of a type that have one of these identifiers of a scheme, by its value.
    fn slugs_by_identifier(
        &self,
        ty: RecordType,
        scheme: &str,
        values: &[String],
    ) -> impl Future<Output = Result<HashMap<String, String>, Self::Error>> + Send;

    /// Slugs of the records of a type that have one of these values in a text field, by value.
    fn slugs_by_field(
        &self,
        ty: RecordType,
        field: &str,
        values: &[String],
    ) -> impl Future<Output = Result<HashMap<String, String>, Self::Error>> + Send;

    /// The memberships of the people with these slugs.
    fn memberships_of(&self, people: &[String]) -> impl Future<Output = Result<Vec<StoredMembership>, Self::Error>> + Send;

    /// The provisions of the laws with these slugs, with their versions.
    fn provisions_of(&self, laws: &[String]) -> impl Future<Output = Result<Vec<StoredProvision>, Self::Error>> + Send;

    /// The slugs among these that records of a type have or had: a slug that was derived from a name must not lead to another
    /// record.
    fn taken_slugs(&self, ty: RecordType, slugs: &[String]) -> impl Future<Output = Result<TakenSlugs, Self::Error>> + Send;

    /// The slugs among these that a person of the same name had before and that [`Self::taken_slugs`] does not tell. Each comes with
    /// the name.
    fn former_slugs_of_people(&self, people: &[(String, String)]) -> impl Future<Output = Result<Vec<String>, Self::Error>> + Send;
}

/// Slugs, and whether a record has them now. Nothing is said of the record that had one before: it may be withheld.
pub type TakenSlugs = HashMap<String, SlugUse>;

/// Whether a record has a slug.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SlugUse {
    /// A record has it.
    Present,
    /// A record had it before.
    Former,
}

impl RecordLookup for Store {
    type Error = Error;

    fn today(&self) -> NaiveDate {
        self.clock.now().date_naive()
    }

    async fn slugs_by_identifier(&self, ty: RecordType, scheme: &str, values: &[String]) -> Result<HashMap<String, String>, Error> {
        self.find_slugs_by_identifier(ty, scheme, values).await
    }

    async fn slugs_by_field(&self, ty: RecordType, field: &str, values: &[String]) -> Result<HashMap<String, String>, Error> {
        self.find_slugs_by_field(ty, field, values).await
    }

    async fn memberships_of(&self, people: &[String]) -> Result<Vec<StoredMembership>, Error> {
        self.find_memberships_of(people).await
    }

    async fn provisions_of(&self, laws: &[String]) -> Result<Vec<StoredProvision>, Error> {
        self.find_provisions_of(laws).await
    }

    async fn taken_slugs(&self, ty: RecordType, slugs: &[String]) -> Result<TakenSlugs, Error> {
        let former = self.find_retired_slugs(ty, slugs).await?.into_iter().map(|slug| (slug, SlugUse::Former));
        let mut taken: TakenSlugs = former.collect();
        taken.extend(self.find_slugs_by_field(ty, "slug", slugs).await?.into_keys().map(|slug| (slug, SlugUse::Present)));
        Ok(taken)
    }

    async fn former_slugs_of_people(&self, _people: &[(String, String)]) -> Result<Vec<String>, Error> {
        Ok(Vec::new())
    }
}
