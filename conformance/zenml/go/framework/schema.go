// Package framework is what two Terraform providers have in common: their schemas are data, and what changes in a plan follows
// the rules of the framework that the released providers are built with.
package framework

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"sort"
	"strings"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tftypes"
)

// member is an argument or a block, as infra/data/terraform/README.md describes it.
type member struct {
	Type      json.RawMessage   `json:"type"`
	Mode      string            `json:"mode"`
	Sensitive bool              `json:"sensitive"`
	ForceNew  bool              `json:"force_new"`
	Default   any               `json:"default"`
	Enum      []string          `json:"enum"`
	Length    []int             `json:"length"`
	Nesting   string            `json:"nesting"`
	Block     string            `json:"block"`
	Body      map[string]member `json:"body"`
}

type schemas struct {
	Provider  map[string]member            `json:"provider_config"`
	Resources map[string]map[string]member `json:"resources"`
	Data      map[string]map[string]member `json:"data_sources"`
}

var objectNesting = map[string]tfprotov6.SchemaObjectNestingMode{
	"list":   tfprotov6.SchemaObjectNestingModeList,
	"single": tfprotov6.SchemaObjectNestingModeSingle,
}

// readSchemas reads the schemas of one provider from the folder that PLINTH_TERRAFORM_SCHEMAS names.
func readSchemas(name string) (schemas, error) {
	var read schemas
	raw, err := os.ReadFile(filepath.Join(os.Getenv("PLINTH_TERRAFORM_SCHEMAS"), name+".json"))
	if err != nil {
		return read, err
	}
	return read, json.Unmarshal(raw, &read)
}

func blockOf(body map[string]member) *tfprotov6.SchemaBlock {
	block := &tfprotov6.SchemaBlock{}
	for name, m := range body {
		if m.Block == "" {
			block.Attributes = append(block.Attributes, attributeOf(name, m))
			continue
		}
		nested := &tfprotov6.SchemaNestedBlock{
			TypeName: name, Block: blockOf(m.Body), Nesting: tfprotov6.SchemaNestedBlockNestingModeSingle,
		}
		block.BlockTypes = append(block.BlockTypes, nested)
	}
	sort.Slice(block.Attributes, func(i, j int) bool { return block.Attributes[i].Name < block.Attributes[j].Name })
	return block
}

func attributeOf(name string, m member) *tfprotov6.SchemaAttribute {
	attribute := &tfprotov6.SchemaAttribute{
		Name:      name,
		Required:  m.Mode == "required",
		Optional:  strings.HasPrefix(m.Mode, "optional"),
		Computed:  strings.HasSuffix(m.Mode, "computed"),
		Sensitive: m.Sensitive,
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

// check holds what is set against the allowed values and lengths.
func check(body map[string]member, config Object, report *Report) {
	for name, m := range body {
		text, isText := config[name].(string)
		if !isText {
			continue
		}
		if len(m.Enum) > 0 && !Has(m.Enum, text) {
			report.ErrorAt(name, "Invalid Attribute Value Match",
				fmt.Sprintf("Attribute %s value must be one of: %q, got: %q", name, m.Enum, text))
		}
		if len(m.Length) == 2 && (len(text) < m.Length[0] || len(text) > m.Length[1]) {
			report.ErrorAt(name, "Invalid Attribute Value Length",
				fmt.Sprintf("Attribute %s string length must be between %d and %d, got: %d", name, m.Length[0], m.Length[1], len(text)))
		}
	}
}

// Has says whether a text is one of those.
func Has(texts []string, text string) bool {
	for _, one := range texts {
		if one == text {
			return true
		}
	}
	return false
}
