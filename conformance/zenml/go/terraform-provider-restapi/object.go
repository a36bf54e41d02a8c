package main

import (
	"context"
	"encoding/json"
	"fmt"
	"reflect"
	"strings"

	"plinth/conformance/stacks/framework"
)

var object = framework.Resource{
	Validate: func(config framework.Object, report *framework.Report) {
		for _, name := range []string{"data", "read_data", "update_data", "destroy_data"} {
			if text := framework.Text(config[name]); text != "" && !json.Valid([]byte(text)) {
				report.ErrorAt(name, "Invalid JSON String Value", "A string value was provided that is not valid JSON string format (RFC 7159).")
			}
		}
	},
	Plan:   planObject,
	Create: createObject,
	Read:   refreshObject,
	Update: updateObject,
	Delete: func(ctx context.Context, state framework.Object, report *framework.Report) {
		made, err := targetOf(state, framework.Text(state["id"]))
		if err == nil {
			err = made.destroy(ctx)
		}
		if err != nil {
			report.Error("Error Deleting API Object", "Could not delete API object: "+err.Error())
		}
	},
	Import: importObject,
}

func createObject(ctx context.Context, planned framework.Object, report *framework.Report) framework.Object {
	made, err := targetOf(planned, "")
	if err == nil {
		err = made.create(ctx)
	}
	if err != nil {
		report.Error("Error Creating API Object", "Could not create API object: "+err.Error())
		return nil
	}
	state := shown(planned, made)
	state["create_response"] = made.answer
	return state
}

// refreshObject writes what the server answered in place of what was sent, which is how changes are found.
func refreshObject(ctx context.Context, known framework.Object, report *framework.Report) framework.Object {
	made, err := targetOf(known, framework.Text(known["id"]))
	if err == nil {
		err = made.read(ctx)
	}
	if err != nil {
		report.Error("Error Reading API Object", "Could not read API object: "+err.Error())
		return nil
	}
	if made.id == "" {
		return nil
	}
	state := shown(known, made)
	data := made.answer
	if ignored := texts(known["ignore_changes_to"]); len(ignored) > 0 {
		laid := delta(parsed(known["data"]), made.answered, ignored, framework.Truth(known["ignore_server_additions"], false))
		text, _ := json.Marshal(laid)
		data = string(text)
	}
	if !reflect.DeepEqual(parsed(data), parsed(known["data"])) {
		state["data"] = data
	}
	return state
}

func updateObject(ctx context.Context, prior, planned framework.Object, report *framework.Report) framework.Object {
	made, err := targetOf(planned, framework.Text(prior["id"]))
	if err == nil {
		err = made.update(ctx)
	}
	if err != nil {
		report.Error("Error Updating API Object", "Could not update API object: "+err.Error())
		return nil
	}
	state := shown(planned, made)
	state["create_response"] = prior["create_response"]
	return state
}

// planObject: what is read may not look like what was sent, and then every plan has a change, unless all that the server
// says is ignored. Then nothing is ever planned but a new object.
func planObject(prior, planned framework.Object, _ *framework.Report) []string {
	if framework.Truth(planned["ignore_all_server_changes"], false) {
		for _, name := range []string{"id", "data", "api_data", "api_response", "create_response"} {
			planned[name] = prior[name]
		}
		return nil
	}
	if framework.Text(planned["data"]) == "" {
		return nil
	}
	after, before := parsed(planned["data"]), parsed(prior["data"])
	if withoutAbsent(after, before) {
		text, _ := json.Marshal(after)
		for _, name := range []string{"id", "api_data", "api_response", "create_response"} {
			planned[name] = prior[name]
		}
		planned["data"] = string(text)
	}
	for _, field := range texts(planned["force_new"]) {
		path := strings.ReplaceAll(field, ".", "/")
		was, err := at(before, path)
		is, _ := at(after, path)
		if err == nil && fmt.Sprint(was) != fmt.Sprint(is) {
			return []string{"api_data"}
		}
	}
	return nil
}

func importObject(ctx context.Context, id string, report *framework.Report) framework.Object {
	path := strings.Trim(id, "/")
	cut := strings.LastIndex(path, "/")
	if cut < 0 {
		report.Error("Invalid Import ID",
			fmt.Sprintf("Invalid path to import api_object '%s' - must be /<full path from server root>/<object id>", id))
		return nil
	}
	settings := framework.Object{"path": "/" + path[:cut], "object_id": path[cut+1:], "debug": true}
	made, err := targetOf(settings, "")
	if err == nil {
		err = made.read(ctx)
	}
	if err != nil {
		report.Error("Error Reading API Object", "Could not read API object: "+err.Error())
		return nil
	}
	state := shown(settings, made)
	state["data"] = made.answer
	return state
}

func shown(known framework.Object, made *target) framework.Object {
	state := framework.Object{}
	for name, value := range known {
		state[name] = value
	}
	state["id"], state["api_response"] = made.id, made.answer
	members := framework.Object{}
	for key, value := range made.answered {
		members[key] = fmt.Sprintf("%v", value)
	}
	state["api_data"] = members
	return state
}

func parsed(value any) map[string]any {
	data := map[string]any{}
	_ = json.Unmarshal([]byte(framework.Text(value)), &data)
	return data
}

func texts(value any) []string {
	items, _ := value.([]any)
	var all []string
	for _, item := range items {
		all = append(all, framework.Text(item))
	}
	return all
}

func readObject(ctx context.Context, config framework.Object, report *framework.Report) framework.Object {
	settings := framework.Object{
		"path": config["path"], "id_attribute": config["id_attribute"], "query_string": config["query_string"],
	}
	if config["read_query_string"] != nil {
		settings["query_string"] = config["read_query_string"]
	}
	made, err := targetOf(settings, "")
	if err == nil {
		path := framework.Text(config["search_path"])
		if path == "" {
			path = framework.Text(config["path"])
		}
		_, err = made.find(ctx, path, framework.Text(config["query_string"]), config, framework.Text(config["search_value"]))
	}
	if err != nil {
		report.Error("Error Finding API Object", "Could not find API object: "+err.Error())
		return nil
	}
	if err := made.read(ctx); err != nil {
		report.Error("Error Reading API Object", "Could not read API object: "+err.Error())
		return nil
	}
	return shown(config, made)
}
