package main

import (
	"context"
	"errors"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tftypes"
)

type provider struct {
	// What no suite asks for answers with a nil pointer, which is seen.
	tfprotov6.ProviderServer
	bodies    map[string]map[string]member
	schema    *tfprotov6.Schema
	resources map[string]*tfprotov6.Schema
	data      map[string]*tfprotov6.Schema
	ephemeral map[string]*tfprotov6.Schema
}

func (p *provider) GetProviderSchema(context.Context, *tfprotov6.GetProviderSchemaRequest) (*tfprotov6.GetProviderSchemaResponse, error) {
	return &tfprotov6.GetProviderSchemaResponse{
		ServerCapabilities:       &tfprotov6.ServerCapabilities{},
		Provider:                 p.schema,
		ResourceSchemas:          p.resources,
		DataSourceSchemas:        p.data,
		EphemeralResourceSchemas: p.ephemeral,
	}, nil
}

func (p *provider) GetMetadata(context.Context, *tfprotov6.GetMetadataRequest) (*tfprotov6.GetMetadataResponse, error) {
	answer := &tfprotov6.GetMetadataResponse{ServerCapabilities: &tfprotov6.ServerCapabilities{}}
	for name := range p.resources {
		answer.Resources = append(answer.Resources, tfprotov6.ResourceMetadata{TypeName: name})
	}
	for name := range p.data {
		answer.DataSources = append(answer.DataSources, tfprotov6.DataSourceMetadata{TypeName: name})
	}
	for name := range p.ephemeral {
		answer.EphemeralResources = append(answer.EphemeralResources, tfprotov6.EphemeralResourceMetadata{TypeName: name})
	}
	return answer, nil
}

func (p *provider) GetResourceIdentitySchemas(context.Context, *tfprotov6.GetResourceIdentitySchemasRequest) (*tfprotov6.GetResourceIdentitySchemasResponse, error) {
	return &tfprotov6.GetResourceIdentitySchemasResponse{}, nil
}

func (p *provider) ValidateProviderConfig(_ context.Context, r *tfprotov6.ValidateProviderConfigRequest) (*tfprotov6.ValidateProviderConfigResponse, error) {
	return &tfprotov6.ValidateProviderConfigResponse{PreparedConfig: r.Config}, nil
}

func (p *provider) ConfigureProvider(context.Context, *tfprotov6.ConfigureProviderRequest) (*tfprotov6.ConfigureProviderResponse, error) {
	return &tfprotov6.ConfigureProviderResponse{}, nil
}

func (p *provider) StopProvider(context.Context, *tfprotov6.StopProviderRequest) (*tfprotov6.StopProviderResponse, error) {
	return &tfprotov6.StopProviderResponse{}, nil
}

func (p *provider) ValidateResourceConfig(context.Context, *tfprotov6.ValidateResourceConfigRequest) (*tfprotov6.ValidateResourceConfigResponse, error) {
	return &tfprotov6.ValidateResourceConfigResponse{}, nil
}

func (p *provider) ValidateDataResourceConfig(context.Context, *tfprotov6.ValidateDataResourceConfigRequest) (*tfprotov6.ValidateDataResourceConfigResponse, error) {
	return &tfprotov6.ValidateDataResourceConfigResponse{}, nil
}

func (p *provider) ValidateEphemeralResourceConfig(context.Context, *tfprotov6.ValidateEphemeralResourceConfigRequest) (*tfprotov6.ValidateEphemeralResourceConfigResponse, error) {
	return &tfprotov6.ValidateEphemeralResourceConfigResponse{}, nil
}

func (p *provider) UpgradeResourceState(_ context.Context, r *tfprotov6.UpgradeResourceStateRequest) (*tfprotov6.UpgradeResourceStateResponse, error) {
	of := p.resources[r.TypeName].ValueType()
	value, err := r.RawState.Unmarshal(of)
	if err != nil {
		return nil, err
	}
	state, err := tfprotov6.NewDynamicValue(of, value)
	return &tfprotov6.UpgradeResourceStateResponse{UpgradedState: &state}, err
}

func (p *provider) ReadResource(_ context.Context, r *tfprotov6.ReadResourceRequest) (*tfprotov6.ReadResourceResponse, error) {
	return &tfprotov6.ReadResourceResponse{NewState: r.CurrentState}, nil
}

func (p *provider) PlanResourceChange(_ context.Context, r *tfprotov6.PlanResourceChangeRequest) (*tfprotov6.PlanResourceChangeResponse, error) {
	schema := p.resources[r.TypeName]
	of := schema.ValueType()
	proposed, errProposed := r.ProposedNewState.Unmarshal(of)
	prior, errPrior := r.PriorState.Unmarshal(of)
	if err := errors.Join(errProposed, errPrior); err != nil {
		return nil, err
	}
	answer := &tfprotov6.PlanResourceChangeResponse{PlannedState: r.ProposedNewState}
	if proposed.IsNull() {
		return answer, nil
	}
	if !prior.IsNull() {
		replaced, err := p.forced(r.TypeName, prior, proposed)
		if err != nil {
			return nil, err
		}
		answer.RequiresReplace = replaced
	}
	planned, err := tfprotov6.NewDynamicValue(of, completed(schema.Block, proposed, r.TypeName, false))
	answer.PlannedState = &planned
	return answer, err
}

// forced are the arguments whose change makes a new object of it.
func (p *provider) forced(name string, prior, proposed tftypes.Value) ([]*tftypes.AttributePath, error) {
	var before, after map[string]tftypes.Value
	if err := errors.Join(prior.As(&before), proposed.As(&after)); err != nil {
		return nil, err
	}
	var paths []*tftypes.AttributePath
	for argument, m := range p.bodies[name] {
		if m.ForceNew && m.Block == "" && !after[argument].Equal(before[argument]) {
			paths = append(paths, tftypes.NewAttributePath().WithAttributeName(argument))
		}
	}
	return paths, nil
}

func (p *provider) ApplyResourceChange(_ context.Context, r *tfprotov6.ApplyResourceChangeRequest) (*tfprotov6.ApplyResourceChangeResponse, error) {
	state, err := apply(p.resources[r.TypeName], r.PlannedState, r.TypeName)
	return &tfprotov6.ApplyResourceChangeResponse{NewState: state}, err
}

func (p *provider) ReadDataSource(_ context.Context, r *tfprotov6.ReadDataSourceRequest) (*tfprotov6.ReadDataSourceResponse, error) {
	state, err := apply(p.data[r.TypeName], r.Config, r.TypeName)
	return &tfprotov6.ReadDataSourceResponse{State: state}, err
}

func (p *provider) OpenEphemeralResource(_ context.Context, r *tfprotov6.OpenEphemeralResourceRequest) (*tfprotov6.OpenEphemeralResourceResponse, error) {
	result, err := apply(p.ephemeral[r.TypeName], r.Config, r.TypeName)
	return &tfprotov6.OpenEphemeralResourceResponse{Result: result}, err
}

func (p *provider) CloseEphemeralResource(context.Context, *tfprotov6.CloseEphemeralResourceRequest) (*tfprotov6.CloseEphemeralResourceResponse, error) {
	return &tfprotov6.CloseEphemeralResourceResponse{}, nil
}

func apply(schema *tfprotov6.Schema, given *tfprotov6.DynamicValue, name string) (*tfprotov6.DynamicValue, error) {
	of := schema.ValueType()
	value, err := given.Unmarshal(of)
	if err != nil || value.IsNull() {
		return given, err
	}
	state, err := tfprotov6.NewDynamicValue(of, completed(schema.Block, value, name, true))
	return &state, err
}
