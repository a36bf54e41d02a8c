package main

import (
	"context"

	"plinth/conformance/stacks/framework"
)

// Every stack has one of each; another one makes another stack.
var requiredTypes = []string{"orchestrator", "artifact_store"}

var component = framework.Resource{
	Keep: []string{"id"},
	Validate: func(config framework.Object, report *framework.Report) {
		if framework.Text(config["connector_resource_id"]) != "" && config["connector_id"] == nil {
			report.ErrorAt("connector_id", "Missing connector_id", "connector_id must be set when connector_resource_id is specified")
		}
	},
	Create: func(ctx context.Context, planned framework.Object, report *framework.Report) framework.Object {
		me, err := currentUser(ctx)
		if err != nil {
			failed(report, "get current user", err)
			return nil
		}
		answer, err := ask[componentAnswer](ctx, "POST", "/api/v1/components", componentRequest{
			User:                me.ID,
			Name:                framework.Text(planned["name"]),
			Type:                framework.Text(planned["type"]),
			Flavor:              framework.Text(planned["flavor"]),
			Configuration:       framework.Texts(planned["configuration"]),
			ConnectorID:         given(planned["connector_id"]),
			ConnectorResourceID: given(planned["connector_resource_id"]),
			Labels:              framework.Texts(planned["labels"]),
		})
		if err != nil {
			failed(report, "create stack component", err)
			return nil
		}
		return componentState(answer, planned, false, report)
	},
	Read: func(ctx context.Context, state framework.Object, report *framework.Report) framework.Object {
		answer, err := find[componentAnswer](ctx, "/api/v1/components/"+framework.Text(state["id"]))
		if err != nil {
			failed(report, "read stack component", err)
		}
		if err != nil || answer == nil {
			return nil
		}
		return componentState(answer, state, true, report)
	},
	Update: func(ctx context.Context, prior, planned framework.Object, report *framework.Report) framework.Object {
		answer, err := ask[componentAnswer](ctx, "PUT", "/api/v1/components/"+framework.Text(prior["id"]), componentUpdate{
			Name:                framework.Text(planned["name"]),
			Type:                framework.Text(planned["type"]),
			Flavor:              framework.Text(planned["flavor"]),
			Configuration:       framework.Texts(planned["configuration"]),
			ConnectorID:         given(planned["connector_id"]),
			ConnectorResourceID: given(planned["connector_resource_id"]),
			Labels:              framework.Texts(planned["labels"]),
		})
		if err != nil {
			failed(report, "update stack component", err)
			return nil
		}
		return componentState(answer, planned, false, report)
	},
	Delete: deleteComponent,
}

// deleteComponent takes the component out of the stacks that still have it, where they can do without.
func deleteComponent(ctx context.Context, state framework.Object, report *framework.Report) {
	id, kind := framework.Text(state["id"]), framework.Text(state["type"])
	stacks, err := list[stackAnswer](ctx, "/api/v1/stacks", map[string]string{"component_id": id})
	if err != nil {
		failed(report, "delete stack component", err)
		return
	}
	for _, one := range stacks {
		if framework.Has(requiredTypes, kind) {
			continue
		}
		if err := takeOut(ctx, one.ID, id); err != nil {
			failed(report, "remove the component from stack "+one.Name, err)
			return
		}
	}
	if err := remove(ctx, "/api/v1/components/"+id); err != nil {
		failed(report, "delete stack component", err)
	}
}

func takeOut(ctx context.Context, stackID, componentID string) error {
	whole, err := ask[stackAnswer](ctx, "GET", "/api/v1/stacks/"+stackID, nil)
	if err != nil {
		return err
	}
	update := stackRequest{Name: whole.Name, Components: map[string][]string{}, Labels: map[string]string{}}
	for kind, components := range whole.Metadata.Components {
		for _, one := range components {
			if one.ID != componentID {
				update.Components[kind] = append(update.Components[kind], one.ID)
			}
		}
	}
	if whole.Metadata.Labels != nil {
		update.Labels = whole.Metadata.Labels
	}
	_, err = ask[stackAnswer](ctx, "PUT", "/api/v1/stacks/"+stackID, update)
	return err
}

func componentState(answer *componentAnswer, known framework.Object, compares bool, report *framework.Report) framework.Object {
	state := framework.Object{}
	for name, value := range known {
		state[name] = value
	}
	state["id"], state["name"] = answer.ID, answer.Name
	state["type"], state["flavor"] = answer.Body.Type, answer.Body.Flavor
	state["created"], state["updated"] = answer.Body.Created, answer.Body.Updated
	if answer.Metadata == nil {
		return state
	}
	if compares && framework.Text(known["updated"]) != answer.Body.Updated {
		state["configuration"] = merged(known["configuration"], answer.Metadata.Configuration, report)
	}
	state["labels"] = labelsOf(answer.Metadata.Labels, known["labels"])
	if answer.Metadata.Connector != nil {
		state["connector_id"] = answer.Metadata.Connector.ID
	}
	if answer.Metadata.ConnectorResourceID != nil {
		state["connector_resource_id"] = *answer.Metadata.ConnectorResourceID
	}
	return state
}
