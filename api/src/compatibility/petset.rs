//! `PetSet`.

use super::{
    By::{Executor, Provisioner},
    Kind::PetSet,
    Row, Shape,
};

pub(super) const ROWS: &[Row] = &[
    PetSet.acted("spec.replicas", Provisioner, "the number of members"),
    PetSet.acted("spec.selector", Provisioner, "as a StatefulSet's"),
    PetSet.acted("spec.template", Provisioner, "as a StatefulSet's"),
    PetSet.acted(
        "spec.volumeClaimTemplates",
        Executor,
        "as a StatefulSet's, but can be edited; raised after a growth",
    ),
    PetSet.acted("spec.serviceName", Provisioner, "as a StatefulSet's"),
    PetSet.acted("spec.podManagementPolicy", Provisioner, "as a StatefulSet's"),
    PetSet.acted("spec.updateStrategy", Provisioner, "as a StatefulSet's"),
    PetSet.acted("spec.revisionHistoryLimit", Provisioner, "as a StatefulSet's"),
    PetSet.acted("spec.minReadySeconds", Provisioner, "as a StatefulSet's"),
    PetSet.acted(
        "spec.persistentVolumeClaimRetentionPolicy",
        Provisioner,
        "as a StatefulSet's",
    ),
    PetSet.acted("spec.ordinals", Provisioner, "as a StatefulSet's"),
    PetSet.harmless(
        "spec.podPlacementPolicy",
        Shape::Declared,
        "pods are spread as spec.template says",
    ),
    PetSet.dangerous(
        "spec.distributed",
        Shape::Flag,
        "everything is made in this cluster; leave it out",
    ),
];
