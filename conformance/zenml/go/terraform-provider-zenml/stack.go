package main

import (
	"context"
	"fmt"
	"strings"

	"plinth/conformance/stacks/framework"
)

var componentTypes = []string{
	"alerter", "annotator", "artifact_store", "container_registry", "data_validator", "experiment_tracker", "feature_store",
	"image_builder", "model_deployer", "orchestrator", "step_operator", "model_registry", "deployer", "log_store",
}

var stack = framework.Resource{
	Keep:     []string{"id"},
	Validate: validateStack,
	Plan: func(prior, planned framework.Object, _ *framework.Report) []string {
		before, _ := prior["components"].(framework.Object)
		after, _ := planned["components"].(framework.Object)
		for _, kind := range requiredTypes {
			if before[kind] != after[kind] {
				return []string{"components"}
			}
		}
		return nil
	},
	Create: func(ctx context.Context, planned framework.Object, report *framework.Report) framework.Object {
		answer, err := ask[stackAnswer](ctx, "POST", "/api/v1/stacks", stackOf(planned))
		return stackState(answer, err, planned, "create stack", report)
	},
	Read: func(ctx context.Context, state framework.Object, report *framework.Report) framework.Object {
		answer, err := find[stackAnswer](ctx, "/api/v1/stacks/"+framework.Text(state["id"]))
		return stackState(answer, err, state, "read stack", report)
	},
	Update: func(ctx context.Context, prior, planned framework.Object, report *framework.Report) framework.Object {
		answer, err := ask[stackAnswer](ctx, "PUT", "/api/v1/stacks/"+framework.Text(prior["id"]), stackOf(planned))
		return stackState(answer, err, planned, "update stack", report)
	},
	Delete: func(ctx context.Context, state framework.Object, report *framework.Report) {
		if err := remove(ctx, "/api/v1/stacks/"+framework.Text(state["id"])); err != nil {
			failed(report, "delete stack", err)
		}
	},
}

func validateStack(config framework.Object, report *framework.Report) {
	components, _ := config["components"].(framework.Object)
	for kind, id := range components {
		if !framework.Has(componentTypes, kind) {
			report.ErrorAt("components", "Invalid component type",
				fmt.Sprintf("Invalid component type %q. Valid types are: %s", kind, strings.Join(componentTypes, ", ")))
		}
		if text, isText := id.(string); isText && strings.TrimSpace(text) == "" {
			report.ErrorAt("components", "Invalid component ID", "Component IDs in the stack components map must be non-empty.")
		}
	}
}

func stackOf(planned framework.Object) stackRequest {
	components := map[string][]string{}
	for kind, id := range framework.Texts(planned["components"]) {
		components[kind] = []string{strings.TrimSpace(id)}
	}
	return stackRequest{
		Name: framework.Text(planned["name"]), Components: components, Labels: framework.Texts(planned["labels"]),
	}
}

func stackState(answer *stackAnswer, err error, known framework.Object, what string, report *framework.Report) framework.Object {
	if err != nil {
		failed(report, what, err)
	}
	if err != nil || answer == nil {
		return nil
	}
	state := framework.Object{
		"id": answer.ID, "name": answer.Name, "components": known["components"], "labels": known["labels"],
	}
	if answer.Metadata == nil {
		return state
	}
	components := framework.Object{}
	for kind, those := range answer.Metadata.Components {
		if len(those) > 0 {
			components[kind] = those[0].ID
		}
	}
	state["components"] = components
	state["labels"] = labelsOf(answer.Metadata.Labels, known["labels"])
	return state
}
