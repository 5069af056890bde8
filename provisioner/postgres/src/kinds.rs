//! Which kind and name each object of a database has, and the one place where that becomes a typed call.

use provisioner_core::postgres::{Object, StoreMap};

/// Kind of an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Secret,
    ConfigMap,
    Account,
    Binding,
    Service,
    Set,
    Budget,
}

impl Kind {
    pub(crate) const fn of(object: Object) -> Kind {
        match object {
            Object::Auth | Object::Credentials => Kind::Secret,
            Object::Account => Kind::Account,
            Object::Binding => Kind::Binding,
            Object::Config | Object::Store(_) => Kind::ConfigMap,
            Object::Governing | Object::Primary | Object::Standby => Kind::Service,
            Object::Set => Kind::Set,
            Object::Budget => Kind::Budget,
        }
    }

    pub(crate) const fn word(self) -> &'static str {
        match self {
            Kind::Secret => "Secret",
            Kind::ConfigMap => "ConfigMap",
            Kind::Account => "ServiceAccount",
            Kind::Binding => "RoleBinding",
            Kind::Service => "Service",
            Kind::Set => "PetSet",
            Kind::Budget => "PodDisruptionBudget",
        }
    }
}

/// The object's name. `auth` is the Secret that the spec names, or the default.
pub(crate) fn name(object: Object, db: &str, auth: &str) -> String {
    match object {
        Object::Auth => auth.to_owned(),
        Object::Credentials | Object::Config => format!("{db}-patroni"),
        Object::Account | Object::Binding | Object::Primary | Object::Set | Object::Budget => db.to_owned(),
        Object::Governing => format!("{db}-pods"),
        Object::Standby => format!("{db}-standby"),
        Object::Store(StoreMap::Config) => format!("{db}-config"),
        Object::Store(StoreMap::Leader) => format!("{db}-leader"),
        Object::Store(StoreMap::Failover) => format!("{db}-failover"),
        Object::Store(StoreMap::Sync) => format!("{db}-sync"),
    }
}

/// Calls `$call::<K>(..)` for the Rust type `K` of an object.
macro_rules! typed {
    ($object:expr, $call:expr $(, $argument:expr)*) => {{
        use $crate::kinds::Kind as K;
        match K::of($object) {
            K::Secret => $call(::std::marker::PhantomData::<::k8s_openapi::api::core::v1::Secret> $(, $argument)*).await,
            K::ConfigMap => $call(::std::marker::PhantomData::<::k8s_openapi::api::core::v1::ConfigMap> $(, $argument)*).await,
            K::Account => $call(::std::marker::PhantomData::<::k8s_openapi::api::core::v1::ServiceAccount> $(, $argument)*).await,
            K::Binding => $call(::std::marker::PhantomData::<::k8s_openapi::api::rbac::v1::RoleBinding> $(, $argument)*).await,
            K::Service => $call(::std::marker::PhantomData::<::k8s_openapi::api::core::v1::Service> $(, $argument)*).await,
            K::Set => $call(::std::marker::PhantomData::<::api::petset::v1::PetSet> $(, $argument)*).await,
            K::Budget => {
                $call(::std::marker::PhantomData::<::k8s_openapi::api::policy::v1::PodDisruptionBudget> $(, $argument)*).await
            }
        }
    }};
}
pub(crate) use typed;
