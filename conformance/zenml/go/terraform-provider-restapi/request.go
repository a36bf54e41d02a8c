package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"plinth/conformance/stacks/framework"
)

// target is an object on the server: what Terraform says of it, and what the server answered last.
type target struct {
	settings framework.Object
	id       string
	data     map[string]any
	answer   string
	answered map[string]any
}

func targetOf(settings framework.Object, id string) (*target, error) {
	made := &target{settings: settings, id: id, data: map[string]any{}, answered: map[string]any{}}
	if given := framework.Text(settings["object_id"]); given != "" {
		made.id = given
	}
	if text := framework.Text(settings["data"]); text != "" {
		if err := json.Unmarshal([]byte(text), &made.data); err != nil {
			return nil, fmt.Errorf("error parsing data provided: %w", err)
		}
		if made.id == "" {
			made.id, _ = textAt(made.data, made.idAttribute())
		}
	}
	return made, nil
}

func (t *target) idAttribute() string {
	if own := framework.Text(t.settings["id_attribute"]); own != "" {
		return own
	}
	return api.idAttribute
}

func (t *target) method(what string) string {
	if own := framework.Text(t.settings[what+"_method"]); own != "" {
		return own
	}
	return api.methods[what]
}

// path is the one of the action, else the general one, with the id where it belongs and the query string at its end.
func (t *target) path(what string) string {
	path := framework.Text(t.settings[what+"_path"])
	if path == "" {
		path = framework.Text(t.settings["path"])
		if what != "create" && !strings.Contains(path, "{id}") {
			before, query, hasQuery := strings.Cut(path, "?")
			path = before + "/{id}"
			if hasQuery {
				path += "?" + query
			}
		}
	}
	if query := framework.Text(t.settings["query_string"]); query != "" {
		path += "?" + query
	}
	return strings.ReplaceAll(path, "{id}", t.id)
}

// body is what is sent along: its own data for the action, else that of the object where it is written.
func (t *target) body(what string, isWritten bool) string {
	if own := framework.Text(t.settings[what+"_data"]); own != "" {
		return compact(own)
	}
	if !isWritten {
		return ""
	}
	text, _ := json.Marshal(t.data)
	return string(text)
}

func compact(text string) string {
	var value any
	if json.Unmarshal([]byte(text), &value) != nil {
		return text
	}
	made, _ := json.Marshal(value)
	return string(made)
}

// take remembers an answer, and the id in it unless there is one already.
func (t *target) take(answer string) error {
	t.answered = map[string]any{}
	if err := json.Unmarshal([]byte(answer), &t.answered); err != nil {
		return err
	}
	t.answer = answer
	if t.id == "" {
		id, err := textAt(t.answered, t.idAttribute())
		if err != nil {
			return fmt.Errorf("error extracting ID from data element: %w", err)
		}
		t.id = id
	}
	for _, key := range api.copyKeys {
		t.data[key] = t.answered[key]
	}
	return nil
}

func (t *target) create(ctx context.Context) error {
	returns := api.writeReturns || api.createReturns
	if t.id == "" && !returns {
		return errors.New("provided object does not have an id set and the client is not configured to read the object from a POST or PUT response; please set write_returns_object to true, or include an id in the object's data")
	}
	answer, _, err := api.send(ctx, t.method("create"), t.path("create"), t.body("create", true))
	if err != nil {
		return err
	}
	if returns {
		return t.take(answer)
	}
	return t.read(ctx)
}

// read empties the id of what is not there, or no longer.
func (t *target) read(ctx context.Context) error {
	if t.id == "" {
		return errors.New("cannot read an object unless the ID has been set")
	}
	if search, isSet := t.settings["read_search"].(framework.Object); isSet {
		return t.search(ctx, search)
	}
	answer, status, err := api.send(ctx, t.method("read"), t.path("read"), t.body("read", false))
	if status == http.StatusNotFound {
		t.id = ""
		return nil
	}
	if err != nil {
		return err
	}
	return t.take(answer)
}

func (t *target) search(ctx context.Context, search framework.Object) error {
	if framework.Text(search["search_patch"]) != "" {
		return errors.New("this stand-in has no search_patch")
	}
	query := framework.Text(search["query_string"])
	if own := framework.Text(t.settings["query_string"]); own != "" && query != "" {
		query += "&" + own
	} else if own != "" {
		query = own
	}
	value := strings.ReplaceAll(framework.Text(search["search_value"]), "{id}", t.id)
	found, err := t.find(ctx, framework.Text(t.settings["path"]), query, search, value)
	if err != nil {
		t.id = ""
		return nil
	}
	text, err := json.Marshal(found)
	if err != nil {
		return err
	}
	return t.take(string(text))
}

// find asks for a list, and takes the first of it whose key has the value.
func (t *target) find(ctx context.Context, path, query string, search framework.Object, value string) (map[string]any, error) {
	if query != "" {
		path += "?" + query
	}
	answer, _, err := api.send(ctx, api.methods["read"], path, framework.Text(search["search_data"]))
	if err != nil {
		return nil, err
	}
	var result any
	if err := json.Unmarshal([]byte(answer), &result); err != nil {
		return nil, err
	}
	results, err := at(result, framework.Text(search["results_key"]))
	if err != nil {
		return nil, fmt.Errorf("error finding results_key: %w", err)
	}
	items, isList := results.([]any)
	if !isList {
		return nil, fmt.Errorf("the results of a GET to '%s' did not return an array. Perhaps you meant to add a results_key?", path)
	}
	key := framework.Text(search["search_key"])
	for _, item := range items {
		text, err := textAt(item, key)
		if err != nil {
			return nil, fmt.Errorf("failed to get the value of '%s' in the results array: %w", key, err)
		}
		if text == value {
			t.id, err = textAt(item, t.idAttribute())
			return item.(map[string]any), err
		}
	}
	return nil, fmt.Errorf("failed to find an object with the '%s' key = '%s' at %s", key, value, path)
}

func (t *target) update(ctx context.Context) error {
	answer, _, err := api.send(ctx, t.method("update"), t.path("update"), t.body("update", true))
	if err != nil {
		return err
	}
	if api.writeReturns {
		return t.take(answer)
	}
	return t.read(ctx)
}

func (t *target) destroy(ctx context.Context) error {
	_, status, err := api.send(ctx, t.method("destroy"), t.path("destroy"), t.body("destroy", false))
	if status == http.StatusNotFound || status == http.StatusGone {
		return nil
	}
	return err
}
