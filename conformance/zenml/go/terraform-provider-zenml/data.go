package main

import (
	"context"

	"plinth/conformance/stacks/framework"
)

func readServer(ctx context.Context, _ framework.Object, report *framework.Report) framework.Object {
	info, err := ask[serverInfo](ctx, "GET", "/api/v1/info", nil)
	if err != nil {
		failed(report, "read server", err)
		return nil
	}
	return framework.Object{
		"id":                    info.ID,
		"name":                  info.Name,
		"version":               info.Version,
		"deployment_type":       info.DeploymentType,
		"auth_scheme":           info.AuthScheme,
		"server_url":            info.ServerURL,
		"dashboard_url":         info.DashboardURL,
		"metadata":              framework.OfTexts(info.Metadata),
		"pro_dashboard_url":     framework.Optional(info.ProDashboardURL),
		"pro_api_url":           framework.Optional(info.ProAPIURL),
		"pro_organization_id":   framework.Optional(info.ProOrganizationID),
		"pro_organization_name": framework.Optional(info.ProOrganizationName),
		"pro_workspace_id":      framework.Optional(info.ProWorkspaceID),
		"pro_workspace_name":    framework.Optional(info.ProWorkspaceName),
	}
}

// one is what has an id, or the first of those with a name; as lists show it, without what only a whole answer has.
func one[Answer any](ctx context.Context, path, what string, config framework.Object, report *framework.Report) *Answer {
	id, name := framework.Text(config["id"]), framework.Text(config["name"])
	if id == "" && name == "" {
		report.Error("Missing Required Attribute", "Either 'id' or 'name' must be specified to identify the "+what)
		return nil
	}
	var found *Answer
	var err error
	if id != "" {
		found, err = find[Answer](ctx, path+"/"+id)
	} else {
		filters := map[string]string{"name": name}
		if kind := framework.Text(config["type"]); kind != "" {
			filters["type"] = kind
		}
		var all []Answer
		all, err = list[Answer](ctx, path, filters)
		if len(all) > 0 {
			found = &all[0]
		}
	}
	if err != nil {
		failed(report, "read "+what, err)
		return nil
	}
	if found == nil {
		report.Error("Not Found", "No "+what+" found with the specified criteria")
	}
	return found
}

func readStack(ctx context.Context, config framework.Object, report *framework.Report) framework.Object {
	found := one[stackAnswer](ctx, "/api/v1/stacks", "stack", config, report)
	if found == nil {
		return nil
	}
	state := framework.Object{"id": found.ID, "name": found.Name, "created": found.Body.Created, "updated": found.Body.Updated}
	if found.Metadata == nil {
		return state
	}
	components := []any{}
	for _, kind := range componentTypes {
		for _, one := range found.Metadata.Components[kind] {
			components = append(components, framework.Object{
				"id": one.ID, "name": one.Name, "type": one.Body.Type, "flavor": one.Body.Flavor,
			})
		}
	}
	state["components"] = components
	if found.Metadata.Labels != nil {
		state["labels"] = framework.OfTexts(found.Metadata.Labels)
	}
	return state
}

func readComponent(ctx context.Context, config framework.Object, report *framework.Report) framework.Object {
	found := one[componentAnswer](ctx, "/api/v1/components", "stack component", config, report)
	if found == nil {
		return nil
	}
	state := framework.Object{
		"id": found.ID, "name": found.Name, "type": found.Body.Type, "flavor": found.Body.Flavor,
		"created": found.Body.Created, "updated": found.Body.Updated,
	}
	if found.Metadata == nil {
		return state
	}
	state["configuration"] = shownAsTexts(found.Metadata.Configuration)
	if found.Metadata.Labels != nil {
		state["labels"] = framework.OfTexts(found.Metadata.Labels)
	}
	if found.Metadata.Connector != nil {
		state["connector_id"] = found.Metadata.Connector.ID
	}
	state["connector_resource_id"] = framework.Optional(found.Metadata.ConnectorResourceID)
	return state
}

func readConnector(ctx context.Context, config framework.Object, report *framework.Report) framework.Object {
	found := one[connectorAnswer](ctx, "/api/v1/service_connectors", "service connector", config, report)
	if found == nil {
		return nil
	}
	state := framework.Object{
		"id": found.ID, "name": found.Name, "type": found.connectorType(), "auth_method": found.Body.AuthMethod,
		"resource_id": framework.Optional(found.Body.ResourceID), "expires_at": framework.Optional(found.Body.ExpiresAt),
		"created": found.Body.Created, "updated": found.Body.Updated,
	}
	if len(found.Body.ResourceTypes) == 1 {
		state["resource_type"] = found.Body.ResourceTypes[0]
	}
	if found.Metadata == nil {
		return state
	}
	state["configuration"] = shownAsTexts(found.Metadata.Configuration)
	if found.Metadata.Labels != nil {
		state["labels"] = framework.OfTexts(found.Metadata.Labels)
	}
	return state
}

func shownAsTexts(shown map[string]any) framework.Object {
	texts := framework.Object{}
	for name, value := range shown {
		texts[name] = asText(value)
	}
	return texts
}
