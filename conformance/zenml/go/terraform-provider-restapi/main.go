// Stands in for the Terraform provider Mastercard/restapi 3.0.0: it has the same schemas and sends the same requests. What it
// cannot do (OAuth, patches of what was found) it refuses.
package main

import (
	"context"
	"os"

	"plinth/conformance/stacks/framework"
)

// api is set when Terraform configures the provider, before it asks for anything that needs it.
var api *client

func main() {
	provider := framework.Provider{
		Name:      "restapi",
		Address:   "registry.terraform.io/mastercard/restapi",
		Configure: configure,
		Resources: map[string]framework.Resource{"restapi_object": object},
		Data:      map[string]framework.DataSource{"restapi_object": readObject},
	}
	if err := provider.Serve(); err != nil {
		panic(err)
	}
}

func configure(ctx context.Context, config framework.Object, report *framework.Report) {
	setting := func(name, variable, otherwise string) string {
		if text := framework.Text(config[name]); text != "" {
			return text
		}
		if text := os.Getenv(variable); text != "" {
			return text
		}
		return otherwise
	}
	flag := func(name, variable string) bool {
		return framework.Truth(config[name], os.Getenv(variable) == "true")
	}
	if oauth, isSet := config["oauth_client_credentials"].(framework.Object); isSet && framework.Text(oauth["oauth_client_id"]) != "" {
		report.Error("Not Supported", "This stand-in has no OAuth client credentials.")
	}
	user, password := setting("username", "REST_API_USERNAME", ""), setting("password", "REST_API_PASSWORD", "")
	token := setting("bearer_token", "REST_API_BEARER", "")
	if user != "" && password != "" && token != "" {
		report.Error("Conflicting Authentication Methods",
			"Both basic auth (username/password) and bearer_token are set - please set only one authentication method")
	}
	headers := framework.Texts(config["headers"])
	if token != "" {
		headers["Authorization"] = "Bearer " + token
	}
	made, err := newClient(config, setting("uri", "REST_API_URI", ""))
	if err != nil {
		report.Error("Unable to Create REST API Client", err.Error())
	}
	if report.Failed() {
		return
	}
	made.headers, made.user, made.password = headers, user, password
	made.idAttribute = setting("id_attribute", "REST_API_ID_ATTRIBUTE", "id")
	made.methods = map[string]string{
		"create":  setting("create_method", "REST_API_CREATE_METHOD", "POST"),
		"read":    setting("read_method", "REST_API_READ_METHOD", "GET"),
		"update":  setting("update_method", "REST_API_UPDATE_METHOD", "PUT"),
		"destroy": setting("destroy_method", "REST_API_DESTROY_METHOD", "DELETE"),
	}
	made.writeReturns = flag("write_returns_object", "REST_API_WRO")
	made.createReturns = flag("create_returns_object", "REST_API_CRO")
	made.prefix = setting("xssi_prefix", "REST_API_XSSI_PREFIX", "")
	keys, _ := config["copy_keys"].([]any)
	for _, key := range keys {
		made.copyKeys = append(made.copyKeys, framework.Text(key))
	}
	api = made
	if path := setting("test_path", "REST_API_TEST_PATH", ""); path != "" {
		if _, _, err := api.send(ctx, api.methods["read"], path, ""); err != nil {
			report.Error("Test Request Failed",
				"A test request to "+path+" after setting up the provider did not return an OK response - is your configuration correct? "+err.Error())
		}
	}
}
