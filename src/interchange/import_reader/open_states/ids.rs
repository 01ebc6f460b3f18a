//! Beginnings of Open Civic Data ids.

/// Of people.
pub(super) const PERSON_ID: &str = "ocd-person/";
/// Of organizations.
pub(super) const ORGANIZATION_ID: &str = "ocd-organization/";
/// Of bills.
pub(super) const BILL_ID: &str = "ocd-bill/";
/// Of jurisdictions.
pub(super) const JURISDICTION_ID: &str = "ocd-jurisdiction/";
/// Of the divisions that jurisdictions govern.
pub(super) const DIVISION_ID: &str = "ocd-division/";
