//! Typed positions: of a field and a relation in the declaration of their record, and of a child in a read plan.
//!
//! The catalog hands out ids of fields and relations, and a plan those of its children, so an id always refers to something
//! that exists in the record or plan that it comes from.

macro_rules! position {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(u16);

        impl $name {
            /// # Panics
            /// If there are more than 65,536 positions.
            pub(crate) fn new(index: usize) -> Self {
                Self(u16::try_from(index).expect("a position fits into 16 bits"))
            }

            /// The position, counted from 0.
            pub(crate) fn index(self) -> usize {
                usize::from(self.0)
            }
        }
    };
}

position! {
    /// A field of a record type.
    FieldId
}
position! {
    /// A relation of a record type.
    RelationId
}
position! {
    /// A child of a read plan.
    ChildId
}

impl FieldId {
    /// The field of a part that references the record to which it belongs, always the first.
    pub(crate) const OWNER: Self = Self(0);
}
