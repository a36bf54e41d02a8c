package main

import (
	"context"
	"encoding/json"
)

// The order of the members is that in which they are sent.

type serverInfo struct {
	ID                  string            `json:"id"`
	Name                string            `json:"name"`
	Version             string            `json:"version"`
	DeploymentType      string            `json:"deployment_type"`
	AuthScheme          string            `json:"auth_scheme"`
	ServerURL           string            `json:"server_url"`
	DashboardURL        string            `json:"dashboard_url"`
	Metadata            map[string]string `json:"metadata"`
	ProDashboardURL     *string           `json:"pro_dashboard_url"`
	ProAPIURL           *string           `json:"pro_api_url"`
	ProOrganizationID   *string           `json:"pro_organization_id"`
	ProOrganizationName *string           `json:"pro_organization_name"`
	ProWorkspaceID      *string           `json:"pro_workspace_id"`
	ProWorkspaceName    *string           `json:"pro_workspace_name"`
}

type user struct {
	ID   string `json:"id"`
	Name string `json:"name"`
	Body struct {
		Active           bool   `json:"active"`
		FullName         string `json:"full_name"`
		EmailOptedIn     bool   `json:"email_opted_in"`
		IsServiceAccount bool   `json:"is_service_account"`
		IsAdmin          bool   `json:"is_admin"`
	} `json:"body"`
}

func currentUser(ctx context.Context) (*user, error) {
	return ask[user](ctx, "GET", "/api/v1/current-user", nil)
}

type times struct {
	Created string `json:"created"`
	Updated string `json:"updated"`
}

type projectRequest struct {
	Name        string `json:"name"`
	DisplayName string `json:"display_name,omitempty"`
	Description string `json:"description,omitempty"`
}

type projectAnswer struct {
	ID   string `json:"id"`
	Name string `json:"name"`
	Body struct {
		times
		DisplayName string `json:"display_name"`
	} `json:"body"`
	Metadata *struct {
		Description string `json:"description"`
	} `json:"metadata"`
}

type secretRequest struct {
	Name    string            `json:"name"`
	Private bool              `json:"private"`
	Values  map[string]string `json:"values"`
}

type secretAnswer struct {
	ID   string `json:"id"`
	Name string `json:"name"`
	Body *struct {
		times
		UserID  *string            `json:"user_id"`
		Private bool               `json:"private"`
		Values  map[string]*string `json:"values"`
	} `json:"body"`
}

type connectorRequest struct {
	User          string            `json:"user"`
	Name          string            `json:"name"`
	ConnectorType string            `json:"connector_type"`
	AuthMethod    string            `json:"auth_method"`
	ResourceTypes []string          `json:"resource_types"`
	Configuration map[string]string `json:"configuration"`
	Labels        map[string]string `json:"labels,omitempty"`
	ResourceID    *string           `json:"resource_id,omitempty"`
}

type connectorUpdate struct {
	Name          string            `json:"name"`
	Configuration map[string]string `json:"configuration"`
	Labels        map[string]string `json:"labels,omitempty"`
	ResourceTypes []string          `json:"resource_types"`
	ResourceID    *string           `json:"resource_id"`
}

type connectorAnswer struct {
	ID   string `json:"id"`
	Name string `json:"name"`
	Body *struct {
		times
		UserID *string `json:"user_id"`
		User   *user   `json:"user"`
		// Its name, or the whole type.
		ConnectorType json.RawMessage `json:"connector_type"`
		AuthMethod    string          `json:"auth_method"`
		ResourceTypes []string        `json:"resource_types"`
		ResourceID    *string         `json:"resource_id"`
		ExpiresAt     *string         `json:"expires_at"`
	} `json:"body"`
	Metadata *struct {
		Configuration map[string]any    `json:"configuration"`
		Labels        map[string]string `json:"labels"`
	} `json:"metadata"`
}

func (c *connectorAnswer) connectorType() string {
	var name string
	if json.Unmarshal(c.Body.ConnectorType, &name) == nil {
		return name
	}
	var whole struct {
		ConnectorType string `json:"connector_type"`
	}
	_ = json.Unmarshal(c.Body.ConnectorType, &whole)
	return whole.ConnectorType
}

type verification struct {
	ID        *string `json:"id"`
	Name      *string `json:"name"`
	Resources []struct {
		ResourceType string   `json:"resource_type"`
		ResourceIDs  []string `json:"resource_ids"`
		Error        *string  `json:"error"`
	} `json:"resources"`
	Error *string `json:"error"`
}

type componentRequest struct {
	User                string            `json:"user"`
	Name                string            `json:"name"`
	Type                string            `json:"type"`
	Flavor              string            `json:"flavor"`
	Configuration       map[string]string `json:"configuration"`
	ConnectorID         *string           `json:"connector,omitempty"`
	ConnectorResourceID *string           `json:"connector_resource_id,omitempty"`
	Labels              map[string]string `json:"labels,omitempty"`
}

type componentUpdate struct {
	Name                string            `json:"name"`
	Type                string            `json:"type"`
	Flavor              string            `json:"flavor"`
	Configuration       map[string]string `json:"configuration,omitempty"`
	ConnectorID         *string           `json:"connector,omitempty"`
	ConnectorResourceID *string           `json:"connector_resource_id,omitempty"`
	Labels              map[string]string `json:"labels,omitempty"`
}

type componentAnswer struct {
	ID   string `json:"id"`
	Name string `json:"name"`
	Body *struct {
		times
		Type   string `json:"type"`
		Flavor string `json:"flavor_name"`
	} `json:"body"`
	Metadata *struct {
		Configuration       map[string]any    `json:"configuration"`
		Labels              map[string]string `json:"labels"`
		ConnectorResourceID *string           `json:"connector_resource_id"`
		Connector           *connectorAnswer  `json:"connector"`
	} `json:"metadata"`
}

type stackRequest struct {
	Name       string              `json:"name"`
	Components map[string][]string `json:"components"`
	Labels     map[string]string   `json:"labels"`
}

type stackAnswer struct {
	ID       string `json:"id"`
	Name     string `json:"name"`
	Body     *times `json:"body"`
	Metadata *struct {
		Components map[string][]componentAnswer `json:"components"`
		Labels     map[string]string            `json:"labels"`
	} `json:"metadata"`
}
