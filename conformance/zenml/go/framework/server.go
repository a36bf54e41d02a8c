package framework

import (
	"context"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tftypes"
)

type server struct {
	// What no suite asks for answers with a nil pointer, which is seen.
	tfprotov6.ProviderServer
	provider  Provider
	bodies    map[string]map[string]member
	dataBody  map[string]map[string]member
	schema    *tfprotov6.Schema
	resources map[string]*tfprotov6.Schema
	data      map[string]*tfprotov6.Schema
}

func (s *server) GetProviderSchema(context.Context, *tfprotov6.GetProviderSchemaRequest) (*tfprotov6.GetProviderSchemaResponse, error) {
	return &tfprotov6.GetProviderSchemaResponse{
		ServerCapabilities: &tfprotov6.ServerCapabilities{},
		Provider:           s.schema,
		ResourceSchemas:    s.resources,
		DataSourceSchemas:  s.data,
	}, nil
}

func (s *server) GetMetadata(context.Context, *tfprotov6.GetMetadataRequest) (*tfprotov6.GetMetadataResponse, error) {
	answer := &tfprotov6.GetMetadataResponse{ServerCapabilities: &tfprotov6.ServerCapabilities{}}
	for name := range s.resources {
		answer.Resources = append(answer.Resources, tfprotov6.ResourceMetadata{TypeName: name})
	}
	for name := range s.data {
		answer.DataSources = append(answer.DataSources, tfprotov6.DataSourceMetadata{TypeName: name})
	}
	return answer, nil
}

func (s *server) GetResourceIdentitySchemas(context.Context, *tfprotov6.GetResourceIdentitySchemasRequest) (*tfprotov6.GetResourceIdentitySchemasResponse, error) {
	return &tfprotov6.GetResourceIdentitySchemasResponse{}, nil
}

func (s *server) ValidateProviderConfig(_ context.Context, r *tfprotov6.ValidateProviderConfigRequest) (*tfprotov6.ValidateProviderConfigResponse, error) {
	return &tfprotov6.ValidateProviderConfigResponse{PreparedConfig: r.Config}, nil
}

func (s *server) ConfigureProvider(ctx context.Context, r *tfprotov6.ConfigureProviderRequest) (*tfprotov6.ConfigureProviderResponse, error) {
	config, err := objectOf(s.schema, r.Config)
	if err != nil {
		return nil, err
	}
	report := &Report{}
	s.provider.Configure(ctx, config, report)
	return &tfprotov6.ConfigureProviderResponse{Diagnostics: report.diagnostics}, nil
}

func (s *server) StopProvider(context.Context, *tfprotov6.StopProviderRequest) (*tfprotov6.StopProviderResponse, error) {
	return &tfprotov6.StopProviderResponse{}, nil
}

func (s *server) ValidateResourceConfig(_ context.Context, r *tfprotov6.ValidateResourceConfigRequest) (*tfprotov6.ValidateResourceConfigResponse, error) {
	config, err := objectOf(s.resources[r.TypeName], r.Config)
	if err != nil {
		return nil, err
	}
	report := &Report{}
	check(s.bodies[r.TypeName], config, report)
	if validate := s.provider.Resources[r.TypeName].Validate; validate != nil && !report.Failed() {
		validate(config, report)
	}
	return &tfprotov6.ValidateResourceConfigResponse{Diagnostics: report.diagnostics}, nil
}

func (s *server) ValidateDataResourceConfig(_ context.Context, r *tfprotov6.ValidateDataResourceConfigRequest) (*tfprotov6.ValidateDataResourceConfigResponse, error) {
	config, err := objectOf(s.data[r.TypeName], r.Config)
	if err != nil {
		return nil, err
	}
	report := &Report{}
	check(s.dataBody[r.TypeName], config, report)
	return &tfprotov6.ValidateDataResourceConfigResponse{Diagnostics: report.diagnostics}, nil
}

func (s *server) UpgradeResourceState(_ context.Context, r *tfprotov6.UpgradeResourceStateRequest) (*tfprotov6.UpgradeResourceStateResponse, error) {
	of := s.resources[r.TypeName].ValueType()
	value, err := r.RawState.Unmarshal(of)
	if err != nil {
		return nil, err
	}
	state, err := tfprotov6.NewDynamicValue(of, value)
	return &tfprotov6.UpgradeResourceStateResponse{UpgradedState: &state}, err
}

func (s *server) ReadResource(ctx context.Context, r *tfprotov6.ReadResourceRequest) (*tfprotov6.ReadResourceResponse, error) {
	schema := s.resources[r.TypeName]
	state, err := objectOf(schema, r.CurrentState)
	if err != nil {
		return nil, err
	}
	report := &Report{}
	read := s.provider.Resources[r.TypeName].Read(ctx, state, report)
	answer := &tfprotov6.ReadResourceResponse{NewState: r.CurrentState, Diagnostics: report.diagnostics}
	if !report.Failed() {
		answer.NewState, err = valueOf(schema, read)
	}
	return answer, err
}

func (s *server) PlanResourceChange(_ context.Context, r *tfprotov6.PlanResourceChangeRequest) (*tfprotov6.PlanResourceChangeResponse, error) {
	of := s.resources[r.TypeName].ValueType()
	report := &Report{}
	planned, replaced, err := plan(s.bodies[r.TypeName], of, s.provider.Resources[r.TypeName], r, report)
	if err != nil {
		return nil, err
	}
	value, err := tfprotov6.NewDynamicValue(of, planned)
	answer := &tfprotov6.PlanResourceChangeResponse{PlannedState: &value, Diagnostics: report.diagnostics}
	for _, name := range replaced {
		answer.RequiresReplace = append(answer.RequiresReplace, tftypes.NewAttributePath().WithAttributeName(name))
	}
	return answer, err
}

func (s *server) ApplyResourceChange(ctx context.Context, r *tfprotov6.ApplyResourceChangeRequest) (*tfprotov6.ApplyResourceChangeResponse, error) {
	schema := s.resources[r.TypeName]
	prior, err := objectOf(schema, r.PriorState)
	if err != nil {
		return nil, err
	}
	planned, err := objectOf(schema, r.PlannedState)
	if err != nil {
		return nil, err
	}
	report := &Report{}
	resource := s.provider.Resources[r.TypeName]
	var state Object
	switch {
	case planned == nil:
		resource.Delete(ctx, prior, report)
	case prior == nil:
		state = resource.Create(ctx, planned, report)
	default:
		state = resource.Update(ctx, prior, planned, report)
	}
	if report.Failed() && state == nil {
		state = prior
	}
	value, err := valueOf(schema, state)
	return &tfprotov6.ApplyResourceChangeResponse{NewState: value, Diagnostics: report.diagnostics}, err
}

func (s *server) ImportResourceState(ctx context.Context, r *tfprotov6.ImportResourceStateRequest) (*tfprotov6.ImportResourceStateResponse, error) {
	report := &Report{}
	state := Object{"id": r.ID}
	if imported := s.provider.Resources[r.TypeName].Import; imported != nil {
		state = imported(ctx, r.ID, report)
	}
	value, err := valueOf(s.resources[r.TypeName], state)
	if err != nil || report.Failed() {
		return &tfprotov6.ImportResourceStateResponse{Diagnostics: report.diagnostics}, err
	}
	one := &tfprotov6.ImportedResource{TypeName: r.TypeName, State: value}
	return &tfprotov6.ImportResourceStateResponse{ImportedResources: []*tfprotov6.ImportedResource{one}}, nil
}

func (s *server) ReadDataSource(ctx context.Context, r *tfprotov6.ReadDataSourceRequest) (*tfprotov6.ReadDataSourceResponse, error) {
	schema := s.data[r.TypeName]
	config, err := objectOf(schema, r.Config)
	if err != nil {
		return nil, err
	}
	report := &Report{}
	state, err := valueOf(schema, s.provider.Data[r.TypeName](ctx, config, report))
	return &tfprotov6.ReadDataSourceResponse{State: state, Diagnostics: report.diagnostics}, err
}

// objectOf is nil for what is null.
func objectOf(schema *tfprotov6.Schema, given *tfprotov6.DynamicValue) (Object, error) {
	value, err := given.Unmarshal(schema.ValueType())
	if err != nil {
		return nil, err
	}
	object, _ := decode(value).(Object)
	return object, nil
}

func valueOf(schema *tfprotov6.Schema, object Object) (*tfprotov6.DynamicValue, error) {
	of := schema.ValueType()
	value := tftypes.NewValue(of, nil)
	if object != nil {
		value = encode(of, object)
	}
	made, err := tfprotov6.NewDynamicValue(of, value)
	return &made, err
}
