package framework

import (
	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tftypes"
)

// plan is what will be, and the arguments whose change asks for a new object.
func plan(body map[string]member, of tftypes.Type, resource Resource, request *tfprotov6.PlanResourceChangeRequest, report *Report) (tftypes.Value, []string, error) {
	proposed, err := request.ProposedNewState.Unmarshal(of)
	if err != nil || proposed.IsNull() {
		return proposed, nil, err
	}
	priorValue, err := request.PriorState.Unmarshal(of)
	if err != nil {
		return proposed, nil, err
	}
	configValue, err := request.Config.Unmarshal(of)
	if err != nil {
		return proposed, nil, err
	}
	planned := decode(proposed).(Object)
	config := decode(configValue).(Object)
	prior, isThere := decode(priorValue).(Object)
	for name, m := range body {
		if m.Default != nil && config[name] == nil {
			planned[name] = m.Default
		}
	}
	if !isThere || !encode(of, planned).Equal(priorValue) {
		forget(body, config, planned)
		for _, name := range resource.Keep {
			if isThere {
				planned[name] = prior[name]
			}
		}
	}
	var replaced []string
	if isThere {
		replaced = forced(body, of, prior, planned)
		if resource.Plan != nil {
			replaced = append(replaced, resource.Plan(prior, planned, report)...)
		}
	}
	return encode(of, planned), replaced, nil
}

// forget makes unknown what the server says once something changes.
func forget(body map[string]member, config, planned Object) {
	for name, m := range body {
		isComputed := m.Mode == "computed" || m.Mode == "optional+computed"
		if isComputed && config[name] == nil && m.Default == nil {
			planned[name] = Unknown{}
		}
	}
}

func forced(body map[string]member, of tftypes.Type, prior, planned Object) []string {
	types := of.(tftypes.Object).AttributeTypes
	var names []string
	for name, m := range body {
		if m.ForceNew && !encode(types[name], planned[name]).Equal(encode(types[name], prior[name])) {
			names = append(names, name)
		}
	}
	return names
}
