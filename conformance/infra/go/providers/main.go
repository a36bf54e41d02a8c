// A Terraform provider that has the schemas of the real ones and no cloud behind it: what is created gets made-up values.
// Its own name (terraform-provider-google) says which; PLINTH_TERRAFORM_SCHEMAS is the folder with the schemas.
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"sort"
	"strings"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6/tf6server"
	"github.com/hashicorp/terraform-plugin-go/tftypes"
)

// member is an argument or a block, as infra/data/terraform/README.md describes it.
type member struct {
	Type      json.RawMessage   `json:"type"`
	Mode      string            `json:"mode"`
	Sensitive bool              `json:"sensitive"`
	WriteOnly bool              `json:"write_only"`
	ForceNew  bool              `json:"force_new"`
	Nesting   string            `json:"nesting"`
	Block     string            `json:"block"`
	Min       int64             `json:"min"`
	Max       int64             `json:"max"`
	Body      map[string]member `json:"body"`
}

type schemas struct {
	Provider  map[string]member            `json:"provider_config"`
	Resources map[string]map[string]member `json:"resources"`
	Data      map[string]map[string]member `json:"data_sources"`
	Ephemeral map[string]map[string]member `json:"ephemeral_resources"`
}

var blockNesting = map[string]tfprotov6.SchemaNestedBlockNestingMode{
	"list":   tfprotov6.SchemaNestedBlockNestingModeList,
	"set":    tfprotov6.SchemaNestedBlockNestingModeSet,
	"single": tfprotov6.SchemaNestedBlockNestingModeSingle,
	"map":    tfprotov6.SchemaNestedBlockNestingModeMap,
}

var objectNesting = map[string]tfprotov6.SchemaObjectNestingMode{
	"list":   tfprotov6.SchemaObjectNestingModeList,
	"set":    tfprotov6.SchemaObjectNestingModeSet,
	"single": tfprotov6.SchemaObjectNestingModeSingle,
	"map":    tfprotov6.SchemaObjectNestingModeMap,
}

func blockOf(body map[string]member) *tfprotov6.SchemaBlock {
	block := &tfprotov6.SchemaBlock{}
	for name, m := range body {
		if m.Block == "" {
			block.Attributes = append(block.Attributes, attributeOf(name, m))
			continue
		}
		nested := &tfprotov6.SchemaNestedBlock{TypeName: name, Block: blockOf(m.Body), Nesting: blockNesting[m.Block]}
		if m.Block == "list" || m.Block == "set" {
			nested.MinItems, nested.MaxItems = m.Min, m.Max
		}
		block.BlockTypes = append(block.BlockTypes, nested)
	}
	sort.Slice(block.Attributes, func(i, j int) bool { return block.Attributes[i].Name < block.Attributes[j].Name })
	sort.Slice(block.BlockTypes, func(i, j int) bool { return block.BlockTypes[i].TypeName < block.BlockTypes[j].TypeName })
	return block
}

func attributeOf(name string, m member) *tfprotov6.SchemaAttribute {
	attribute := &tfprotov6.SchemaAttribute{
		Name:      name,
		Required:  m.Mode == "required",
		Optional:  strings.HasPrefix(m.Mode, "optional"),
		Computed:  strings.HasSuffix(m.Mode, "computed"),
		Sensitive: m.Sensitive,
		WriteOnly: m.WriteOnly,
	}
	if m.Nesting != "" {
		attribute.NestedType = &tfprotov6.SchemaObject{Attributes: blockOf(m.Body).Attributes, Nesting: objectNesting[m.Nesting]}
		return attribute
	}
	parsed, err := tftypes.ParseJSONType(m.Type) //nolint:staticcheck // The schemas hold types in this form.
	if err != nil {
		panic(fmt.Errorf("type of %s: %w", name, err))
	}
	attribute.Type = parsed
	return attribute
}

func schemasOf(bodies map[string]map[string]member) map[string]*tfprotov6.Schema {
	all := map[string]*tfprotov6.Schema{}
	for name, body := range bodies {
		all[name] = &tfprotov6.Schema{Block: blockOf(body)}
	}
	return all
}

// madeUp is a value of this type; what counts is that it is known.
func madeUp(of tftypes.Type, path string) tftypes.Value {
	switch t := of.(type) {
	case tftypes.List:
		return tftypes.NewValue(of, []tftypes.Value{madeUp(t.ElementType, path)})
	case tftypes.Set:
		return tftypes.NewValue(of, []tftypes.Value{madeUp(t.ElementType, path)})
	case tftypes.Map:
		return tftypes.NewValue(of, map[string]tftypes.Value{})
	case tftypes.Object:
		values := map[string]tftypes.Value{}
		for name, inner := range t.AttributeTypes {
			values[name] = madeUp(inner, path+"."+name)
		}
		return tftypes.NewValue(of, values)
	}
	switch {
	case of.Is(tftypes.String) && strings.HasSuffix(path, ".version"):
		// Versions of secrets are numbers.
		return tftypes.NewValue(of, "1")
	case of.Is(tftypes.String):
		return tftypes.NewValue(of, path)
	case of.Is(tftypes.Number):
		return tftypes.NewValue(of, 1)
	case of.Is(tftypes.Bool):
		return tftypes.NewValue(of, false)
	}
	return tftypes.NewValue(of, nil)
}

// completed gives what the provider fills in a value: none yet while planning, a made-up one once it is applied.
func completed(block *tfprotov6.SchemaBlock, value tftypes.Value, path string, applied bool) tftypes.Value {
	if value.IsNull() || !value.IsKnown() {
		return value
	}
	values := map[string]tftypes.Value{}
	if err := value.As(&values); err != nil {
		panic(err)
	}
	for _, attribute := range block.Attributes {
		of := attribute.ValueType()
		current := values[attribute.Name]
		missing := attribute.Computed && current.IsNull()
		switch {
		case attribute.WriteOnly:
			values[attribute.Name] = tftypes.NewValue(of, nil)
		case applied && (missing || !current.IsFullyKnown()):
			values[attribute.Name] = madeUp(of, path+"."+attribute.Name)
		case missing:
			values[attribute.Name] = tftypes.NewValue(of, tftypes.UnknownValue)
		}
	}
	for _, nested := range block.BlockTypes {
		current := values[nested.TypeName]
		if current.IsNull() || !current.IsKnown() {
			continue
		}
		inner := path + "." + nested.TypeName
		if nested.Nesting == tfprotov6.SchemaNestedBlockNestingModeSingle {
			values[nested.TypeName] = completed(nested.Block, current, inner, applied)
			continue
		}
		var items []tftypes.Value
		if err := current.As(&items); err != nil {
			panic(err)
		}
		for i := range items {
			items[i] = completed(nested.Block, items[i], inner, applied)
		}
		values[nested.TypeName] = tftypes.NewValue(current.Type(), items)
	}
	return tftypes.NewValue(value.Type(), values)
}

func main() {
	name := strings.TrimPrefix(filepath.Base(os.Args[0]), "terraform-provider-")
	raw, err := os.ReadFile(filepath.Join(os.Getenv("PLINTH_TERRAFORM_SCHEMAS"), name+".json"))
	if err != nil {
		panic(err)
	}
	var read schemas
	if err := json.Unmarshal(raw, &read); err != nil {
		panic(err)
	}
	made := &provider{
		bodies:    read.Resources,
		schema:    &tfprotov6.Schema{Block: blockOf(read.Provider)},
		resources: schemasOf(read.Resources),
		data:      schemasOf(read.Data),
		ephemeral: schemasOf(read.Ephemeral),
	}
	serve := func() tfprotov6.ProviderServer { return made }
	if err := tf6server.Serve("registry.terraform.io/plinth/"+name, serve); err != nil {
		panic(err)
	}
}

var _ tfprotov6.ProviderServer = (*provider)(nil)
