//! Options of a table.

/// How a query becomes a table.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TableOptions {
    /// Path in the response of the list that becomes the rows, such as `provision.charges`. `None` is the only list.
    pub rows: Option<String>,
    /// Whether a list within a row becomes one row for each of its items; otherwise its items are joined in one cell.
    pub exploded: bool,
    /// Path of the list to explode, required if a row has several.
    pub explode: Option<String>,
    /// Whether there is a column with the sources of each row.
    pub sources: bool,
    /// Maximum number of rows.
    pub limit: Option<u64>,
}
