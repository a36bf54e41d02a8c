package main

import (
	"context"

	"plinth/conformance/stacks/framework"
)

// failed tells people what the server answered.
func failed(report *framework.Report, what string, err error) {
	report.Error("Client Error", "Unable to "+what+", got error: "+err.Error())
}

var project = framework.Resource{
	Keep: []string{"id"},
	Create: func(ctx context.Context, planned framework.Object, report *framework.Report) framework.Object {
		answer, err := ask[projectAnswer](ctx, "POST", "/api/v1/projects", projectOf(planned))
		return projectState(answer, err, "create project", report)
	},
	Read: func(ctx context.Context, state framework.Object, report *framework.Report) framework.Object {
		answer, err := find[projectAnswer](ctx, "/api/v1/projects/"+framework.Text(state["id"]))
		return projectState(answer, err, "read project", report)
	},
	Update: func(ctx context.Context, prior, planned framework.Object, report *framework.Report) framework.Object {
		answer, err := ask[projectAnswer](ctx, "PUT", "/api/v1/projects/"+framework.Text(prior["id"]), projectOf(planned))
		return projectState(answer, err, "update project", report)
	},
	Delete: func(ctx context.Context, state framework.Object, report *framework.Report) {
		if err := remove(ctx, "/api/v1/projects/"+framework.Text(state["id"])); err != nil {
			failed(report, "delete project", err)
		}
	},
}

func projectOf(planned framework.Object) projectRequest {
	return projectRequest{
		Name:        framework.Text(planned["name"]),
		DisplayName: framework.Text(planned["display_name"]),
		Description: framework.Text(planned["description"]),
	}
}

func projectState(answer *projectAnswer, err error, what string, report *framework.Report) framework.Object {
	if err != nil {
		failed(report, what, err)
	}
	if err != nil || answer == nil {
		return nil
	}
	state := framework.Object{
		"id":           answer.ID,
		"name":         answer.Name,
		"display_name": answer.Body.DisplayName,
		"created":      answer.Body.Created,
		"updated":      answer.Body.Updated,
	}
	if answer.Metadata != nil {
		state["description"] = answer.Metadata.Description
	}
	return state
}

var secret = framework.Resource{
	Keep: []string{"id"},
	Create: func(ctx context.Context, planned framework.Object, report *framework.Report) framework.Object {
		answer, err := ask[secretAnswer](ctx, "POST", "/api/v1/secrets", secretOf(planned))
		return secretState(answer, err, "create secret", report)
	},
	Read: func(ctx context.Context, state framework.Object, report *framework.Report) framework.Object {
		answer, err := find[secretAnswer](ctx, "/api/v1/secrets/"+framework.Text(state["id"]))
		return secretState(answer, err, "read secret", report)
	},
	Update: func(ctx context.Context, prior, planned framework.Object, report *framework.Report) framework.Object {
		answer, err := ask[secretAnswer](ctx, "PUT", "/api/v1/secrets/"+framework.Text(prior["id"]), secretOf(planned))
		return secretState(answer, err, "update secret", report)
	},
	Delete: func(ctx context.Context, state framework.Object, report *framework.Report) {
		if err := remove(ctx, "/api/v1/secrets/"+framework.Text(state["id"])); err != nil {
			failed(report, "delete secret", err)
		}
	},
}

func secretOf(planned framework.Object) secretRequest {
	return secretRequest{
		Name:    framework.Text(planned["name"]),
		Private: framework.Truth(planned["private"], false),
		Values:  framework.Texts(planned["values"]),
	}
}

func secretState(answer *secretAnswer, err error, what string, report *framework.Report) framework.Object {
	if err != nil {
		failed(report, what, err)
	}
	if err != nil || answer == nil {
		return nil
	}
	values := framework.Object{}
	for name, value := range answer.Body.Values {
		if value == nil {
			report.ErrorAt("values", "Unable to Read Secret Values",
				"ZenML did not return all values for this secret. Ensure the account configured for the provider can read secret values.")
			return nil
		}
		values[name] = *value
	}
	return framework.Object{
		"id":      answer.ID,
		"name":    answer.Name,
		"private": answer.Body.Private,
		"values":  values,
		"user_id": framework.Optional(answer.Body.UserID),
		"created": answer.Body.Created,
		"updated": answer.Body.Updated,
	}
}
