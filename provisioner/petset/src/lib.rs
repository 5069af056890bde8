//! The PetSet controller: StatefulSet semantics, editable claim templates, and the hold.
