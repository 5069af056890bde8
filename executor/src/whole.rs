//! Objects with everything in them, also what our types do not read: others' conditions and templates are written back
//! as they came.

pub(crate) use control::whole::Whole;
