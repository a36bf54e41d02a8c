package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"plinth/conformance/stacks/framework"
)

var (
	authMethods = map[string][]string{
		"aws":        {"implicit", "secret-key", "iam-role", "sts-token", "session-token", "federation-token"},
		"gcp":        {"implicit", "user-account", "service-account", "external-account", "oauth2-token", "impersonation"},
		"azure":      {"implicit", "service-principal", "access-token"},
		"kubernetes": {"password", "token"},
		"docker":     {"password"},
		"hyperai":    {"rsa-key", "dsa-key", "ecdsa-key", "ed25519-key"},
	}
	resourceTypes = map[string][]string{
		"aws":        {"aws-generic", "s3-bucket", "kubernetes-cluster", "docker-registry"},
		"gcp":        {"gcp-generic", "gcs-bucket", "kubernetes-cluster", "docker-registry"},
		"azure":      {"azure-generic", "blob-container", "kubernetes-cluster", "docker-registry"},
		"kubernetes": {"kubernetes-cluster"},
		"docker":     {"docker-registry"},
		"hyperai":    {"hyperai-instance"},
	}
)

var connector = framework.Resource{
	Keep:     []string{"id"},
	Validate: validateConnector,
	Create: func(ctx context.Context, planned framework.Object, report *framework.Report) framework.Object {
		request := connectorOf(ctx, planned, report)
		if request == nil || !verified(ctx, request, planned, "create", report) {
			return nil
		}
		answer, err := ask[connectorAnswer](ctx, "POST", "/api/v1/service_connectors", request)
		if err != nil {
			failed(report, "create service connector", err)
			return nil
		}
		return connectorState(answer, planned, false, report)
	},
	Read: func(ctx context.Context, state framework.Object, report *framework.Report) framework.Object {
		answer, err := find[connectorAnswer](ctx, "/api/v1/service_connectors/"+framework.Text(state["id"]))
		if err != nil {
			failed(report, "read service connector", err)
		}
		if err != nil || answer == nil {
			return nil
		}
		return connectorState(answer, state, true, report)
	},
	Update: func(ctx context.Context, prior, planned framework.Object, report *framework.Report) framework.Object {
		request := connectorOf(ctx, planned, report)
		if request == nil || !verified(ctx, request, planned, "update", report) {
			return nil
		}
		answer, err := ask[connectorAnswer](ctx, "PUT", "/api/v1/service_connectors/"+framework.Text(prior["id"]), connectorUpdate{
			Name: request.Name, Configuration: request.Configuration, Labels: request.Labels,
			ResourceTypes: request.ResourceTypes, ResourceID: request.ResourceID,
		})
		if err != nil {
			failed(report, "update service connector", err)
			return nil
		}
		return connectorState(answer, planned, true, report)
	},
	Delete: func(ctx context.Context, state framework.Object, report *framework.Report) {
		if err := remove(ctx, "/api/v1/service_connectors/"+framework.Text(state["id"])); err != nil {
			failed(report, "delete service connector", err)
		}
	},
}

func validateConnector(config framework.Object, report *framework.Report) {
	kind, method, resource := framework.Text(config["type"]), framework.Text(config["auth_method"]), framework.Text(config["resource_type"])
	if methods, isKnown := authMethods[kind]; isKnown && method != "" && !framework.Has(methods, method) {
		report.ErrorAt("auth_method", "Invalid auth method",
			fmt.Sprintf("Invalid auth_method %q for connector type %q. Valid methods are: %s", method, kind, strings.Join(methods, ", ")))
	}
	if types, isKnown := resourceTypes[kind]; isKnown && resource != "" && !framework.Has(types, resource) {
		report.ErrorAt("resource_type", "Invalid resource type",
			fmt.Sprintf("Invalid resource type %q for connector type %q. Valid types are: %s", resource, kind, strings.Join(types, ", ")))
	}
}

func connectorOf(ctx context.Context, planned framework.Object, report *framework.Report) *connectorRequest {
	me, err := currentUser(ctx)
	if err != nil {
		failed(report, "get current user", err)
		return nil
	}
	request := &connectorRequest{
		User:          me.ID,
		Name:          framework.Text(planned["name"]),
		ConnectorType: framework.Text(planned["type"]),
		AuthMethod:    framework.Text(planned["auth_method"]),
		ResourceTypes: []string{},
		Configuration: framework.Texts(planned["configuration"]),
		Labels:        framework.Texts(planned["labels"]),
		ResourceID:    given(planned["resource_id"]),
	}
	if resource := framework.Text(planned["resource_type"]); resource != "" {
		request.ResourceTypes = []string{resource}
	}
	return request
}

// given is nil for a text that is not set.
func given(value any) *string {
	text := framework.Text(value)
	if text == "" {
		return nil
	}
	return &text
}

// verified asks the server whether the connector works, again and again until it does or time is up: what it may do may
// have been granted a moment ago. A refusal is final.
func verified(ctx context.Context, request *connectorRequest, planned framework.Object, what string, report *framework.Report) bool {
	if !framework.Truth(planned["verify"], true) {
		return true
	}
	limit := 5 * time.Minute
	timeouts, _ := planned["timeouts"].(framework.Object)
	if text := framework.Text(timeouts[what]); text != "" {
		parsed, err := time.ParseDuration(text)
		if err != nil {
			report.ErrorAt("timeouts", "Timeout Cannot Be Parsed", err.Error())
			return false
		}
		limit = parsed
	}
	until := time.Now().Add(limit)
	for pause := 500 * time.Millisecond; ; pause = min(2*pause, 10*time.Second) {
		answer, err := ask[verification](ctx, "POST", "/api/v1/service_connectors/verify", request)
		if err != nil {
			report.Error("Verification Error", "unable to verify service connector configuration, got error: "+err.Error())
			return false
		}
		if answer.Error == nil {
			return true
		}
		if time.Now().Add(pause).After(until) {
			report.Error("Verification Error", "Error verifying service connector configuration: "+*answer.Error)
			return false
		}
		time.Sleep(pause)
	}
}

// connectorState takes over the server's configuration only where the connector has changed since, because a server may show
// it otherwise than it was sent.
func connectorState(answer *connectorAnswer, known framework.Object, compares bool, report *framework.Report) framework.Object {
	state := framework.Object{}
	for name, value := range known {
		state[name] = value
	}
	state["id"], state["name"] = answer.ID, answer.Name
	state["type"], state["auth_method"] = answer.connectorType(), answer.Body.AuthMethod
	if len(answer.Body.ResourceTypes) == 1 {
		state["resource_type"] = answer.Body.ResourceTypes[0]
	}
	if answer.Body.ResourceID != nil {
		state["resource_id"] = *answer.Body.ResourceID
	}
	state["expires_at"] = framework.Optional(answer.Body.ExpiresAt)
	state["user"] = framework.Optional(answer.Body.UserID)
	if answer.Body.User != nil {
		state["user"] = answer.Body.User.ID
	}
	state["created"], state["updated"] = answer.Body.Created, answer.Body.Updated
	if answer.Metadata == nil {
		return state
	}
	if compares && framework.Text(known["updated"]) != answer.Body.Updated {
		state["configuration"] = merged(known["configuration"], answer.Metadata.Configuration, report)
	}
	state["labels"] = labelsOf(answer.Metadata.Labels, known["labels"])
	return state
}

// labelsOf takes no labels for what is known to have none, be that nothing or an empty map: servers do not tell them apart.
func labelsOf(shown map[string]string, known any) any {
	switch {
	case len(shown) > 0:
		return framework.OfTexts(shown)
	case len(framework.Texts(known)) > 0:
		return nil
	}
	return known
}

// merged lays what the server has over what is known, and tells of what the server left out.
func merged(known any, shown map[string]any, report *framework.Report) any {
	if shown == nil {
		return known
	}
	all := framework.OfTexts(framework.Texts(known))
	var ignored []string
	for name := range all {
		if _, isShown := shown[name]; !isShown {
			ignored = append(ignored, name)
		}
	}
	for name, value := range shown {
		all[name] = asText(value)
	}
	if len(ignored) > 0 {
		report.Warn("Configuration attributes ignored by ZenML server",
			fmt.Sprintf("The following configuration attributes are present in Terraform state but not recognized by the server and were ignored: %v.", ignored))
	}
	return all
}

func asText(value any) string {
	if text, isText := value.(string); isText {
		return text
	}
	return fmt.Sprintf("%v", value)
}
