// Stands in for the Terraform provider zenml-io/zenml 3.0.6: it has the same schemas and sends the same requests.
package main

import (
	"context"
	"os"
	"strconv"
	"strings"

	"plinth/conformance/stacks/framework"
)

// api is set when Terraform configures the provider, before it asks for anything that needs it.
var api *client

func main() {
	provider := framework.Provider{
		Name:      "zenml",
		Address:   "registry.terraform.io/zenml-io/zenml",
		Configure: configure,
		Resources: map[string]framework.Resource{
			"zenml_project":           project,
			"zenml_secret":            secret,
			"zenml_service_connector": connector,
			"zenml_stack_component":   component,
			"zenml_stack":             stack,
		},
		Data: map[string]framework.DataSource{
			"zenml_server":            readServer,
			"zenml_stack":             readStack,
			"zenml_stack_component":   readComponent,
			"zenml_service_connector": readConnector,
		},
	}
	if err := provider.Serve(); err != nil {
		panic(err)
	}
}

func configure(ctx context.Context, config framework.Object, report *framework.Report) {
	setting := func(name, variable string) string {
		if _, isUnknown := config[name].(framework.Unknown); isUnknown {
			report.ErrorAt(name, "Unknown ZenML setting", name+" is known only after something is applied; set it or "+variable)
		}
		if text := framework.Text(config[name]); text != "" {
			return text
		}
		return os.Getenv(variable)
	}
	url := setting("server_url", "ZENML_SERVER_URL")
	key := setting("api_key", "ZENML_API_KEY")
	token := setting("api_token", "ZENML_API_TOKEN")
	if report.Failed() {
		return
	}
	if url == "" {
		report.ErrorAt("server_url", "Missing ZenML Server URL", "Set server_url or ZENML_SERVER_URL.")
	}
	if key == "" && token == "" {
		report.Error("Missing ZenML API Credentials", "Set api_key or ZENML_API_KEY, or api_token or ZENML_API_TOKEN.")
	}
	if report.Failed() {
		return
	}
	api = &client{server: strings.TrimRight(url, "/"), key: key, token: token}
	info, err := ask[serverInfo](ctx, "GET", "/api/v1/info", nil)
	if err != nil {
		report.Error("Unable to Connect to ZenML Server", "ZenML Client Error: "+err.Error())
		return
	}
	if !framework.Truth(config["skip_version_check"], false) && !isAtLeast(info.Version, 0, 80) {
		report.Error("Incompatible ZenML Server Version",
			"ZenML server version must be at least 0.80.0 to use the current Terraform provider version (current version: "+info.Version+")")
	}
}

func isAtLeast(version string, major, minor int) bool {
	parts := strings.SplitN(version, ".", 3)
	if len(parts) < 2 {
		return false
	}
	first, errFirst := strconv.Atoi(parts[0])
	second, errSecond := strconv.Atoi(parts[1])
	if errFirst != nil || errSecond != nil {
		return false
	}
	return first > major || (first == major && second >= minor)
}
