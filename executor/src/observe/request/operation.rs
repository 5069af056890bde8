//! The type of a request with its section.

use control::whole::Whole;
use std::collections::BTreeMap;

use api::{
    autoscaling::v1alpha1::ExpansionMode,
    kubedb::v1 as postgres,
    ops::v1alpha1::{
        HorizontalScaling, PostgresOpsRequest, PostgresOpsRequestSpec, RequestType, VerticalMode,
        VerticalScaling, VolumeExpansion,
    },
};
use executor_core::request::{self as core, Operation};
use serde_json::{Value, json};

pub(super) fn operation(whole: &Whole<PostgresOpsRequest>, spec: &PostgresOpsRequestSpec) -> Operation {
    let is_there = |pointer: &str| whole.at(pointer).is_some();
    match &spec.type_ {
        Some(RequestType::VolumeExpansion) => {
            let section = spec.volume_expansion.as_ref();
            Operation::VolumeExpansion(
                section.map(|section| expansion(section, is_there("/spec/volumeExpansion/arbiter"))),
            )
        }
        Some(RequestType::HorizontalScaling) => {
            let section = spec.horizontal_scaling.as_ref();
            Operation::HorizontalScaling(
                section.map(|section| scaling(section, is_there("/spec/horizontalScaling/readReplicas"))),
            )
        }
        Some(RequestType::VerticalScaling) => {
            let section = spec.vertical_scaling.as_ref();
            Operation::VerticalScaling(
                section.map(|section| vertical(section, is_there("/spec/verticalScaling/readReplicas"))),
            )
        }
        Some(RequestType::Restart) => Operation::Restart,
        other => Operation::Other(
            other
                .as_ref()
                .map_or_else(String::new, |kind| kind.as_str().to_owned()),
        ),
    }
}

fn expansion(section: &VolumeExpansion, arbiter: bool) -> core::Expansion {
    let postgres = match section.postgres.as_ref().map(|size| (size, size.bytes())) {
        None => core::Size::Absent,
        Some((_, Ok(size))) => core::Size::Of(size),
        Some((text, Err(error))) => core::Size::Bad(format!("{text}: {error}")),
    };
    let mode = match &section.mode {
        Some(ExpansionMode::Online) => core::Mode::Online,
        Some(ExpansionMode::Offline) => core::Mode::Offline,
        other => core::Mode::Other(
            other
                .as_ref()
                .map_or_else(String::new, |mode| mode.as_str().to_owned()),
        ),
    };
    core::Expansion {
        postgres,
        arbiter,
        mode,
    }
}

fn scaling(section: &HorizontalScaling, read_replicas: bool) -> core::Scaling {
    core::Scaling {
        replicas: section.replicas,
        read_replicas,
        standby: section.standby_mode.as_ref().map(standby),
        streaming: section.streaming_mode.as_ref().map(streaming),
    }
}

pub(in crate::observe) fn standby(mode: &postgres::StandbyMode) -> core::StandbyMode {
    match mode {
        postgres::StandbyMode::Hot => core::StandbyMode::Hot,
        postgres::StandbyMode::Warm => core::StandbyMode::Warm,
        other => core::StandbyMode::Other(other.as_str().to_owned()),
    }
}

pub(in crate::observe) fn streaming(mode: &postgres::StreamingMode) -> core::StreamingMode {
    match mode {
        postgres::StreamingMode::Synchronous => core::StreamingMode::Synchronous,
        postgres::StreamingMode::Asynchronous => core::StreamingMode::Asynchronous,
        other => core::StreamingMode::Other(other.as_str().to_owned()),
    }
}

fn vertical(section: &VerticalScaling, read_replicas: bool) -> core::Vertical {
    let mode = match &section.mode {
        None | Some(VerticalMode::Restart) => core::VerticalMode::Restart,
        Some(VerticalMode::InPlace) => core::VerticalMode::InPlace,
        Some(other) => core::VerticalMode::Other(other.as_str().to_owned()),
    };
    let resources = section.postgres.as_ref().and_then(|pod| pod.resources.as_ref());
    core::Vertical {
        postgres: resources.map(|resources| self::resources(&json!(resources))),
        read_replicas,
        mode,
    }
}

/// Resources of a container, from JSON.
pub(in crate::observe) fn resources(value: &Value) -> core::Resources {
    let list = |key: &str| -> BTreeMap<String, String> {
        let entries = value[key].as_object().into_iter().flatten();
        let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        entries.map(|(name, value)| (name.clone(), text(value))).collect()
    };
    core::Resources {
        requests: list("requests"),
        limits: list("limits"),
    }
}
