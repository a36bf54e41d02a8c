package framework

import (
	"context"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6/tf6server"
	"github.com/hashicorp/terraform-plugin-go/tftypes"
)

// Report gathers what people are told.
type Report struct{ diagnostics []*tfprotov6.Diagnostic }

// Failed says whether one of them is an error.
func (r *Report) Failed() bool {
	for _, one := range r.diagnostics {
		if one.Severity == tfprotov6.DiagnosticSeverityError {
			return true
		}
	}
	return false
}

// Error tells that something did not work.
func (r *Report) Error(summary, detail string) {
	r.add(tfprotov6.DiagnosticSeverityError, summary, detail, nil)
}

// Warn tells of something that works otherwise than it looks.
func (r *Report) Warn(summary, detail string) {
	r.add(tfprotov6.DiagnosticSeverityWarning, summary, detail, nil)
}

// ErrorAt tells that an argument is wrong.
func (r *Report) ErrorAt(attribute, summary, detail string) {
	path := tftypes.NewAttributePath().WithAttributeName(attribute)
	r.add(tfprotov6.DiagnosticSeverityError, summary, detail, path)
}

func (r *Report) add(severity tfprotov6.DiagnosticSeverity, summary, detail string, path *tftypes.AttributePath) {
	r.diagnostics = append(r.diagnostics, &tfprotov6.Diagnostic{
		Severity: severity, Summary: summary, Detail: detail, Attribute: path,
	})
}

// Resource is what a provider does with one kind of object. Functions answer the new state; nil where there is none.
type Resource struct {
	// Keep are computed attributes that an update does not change.
	Keep []string
	// Validate looks at a configuration, of which parts may be unknown.
	Validate func(config Object, report *Report)
	// Plan may change what is planned for an object that is there, and names the arguments that ask for a new one.
	Plan   func(prior, planned Object, report *Report) []string
	Create func(ctx context.Context, planned Object, report *Report) Object
	Read   func(ctx context.Context, state Object, report *Report) Object
	Update func(ctx context.Context, prior, planned Object, report *Report) Object
	Delete func(ctx context.Context, state Object, report *Report)
	// Import makes a state of the id that was given; the id alone when it is not there.
	Import func(ctx context.Context, id string, report *Report) Object
}

// DataSource reads.
type DataSource func(ctx context.Context, config Object, report *Report) Object

// Provider is what main makes and serves.
type Provider struct {
	// Name is that of its types and of the file with its schemas.
	Name      string
	Address   string
	Configure func(ctx context.Context, config Object, report *Report)
	Resources map[string]Resource
	Data      map[string]DataSource
}

// Serve answers Terraform until it ends.
func (p Provider) Serve() error {
	read, err := readSchemas(p.Name)
	if err != nil {
		return err
	}
	made := &server{
		provider:  p,
		bodies:    read.Resources,
		schema:    &tfprotov6.Schema{Block: blockOf(read.Provider)},
		resources: schemasOf(read.Resources),
		data:      schemasOf(read.Data),
		dataBody:  read.Data,
	}
	return tf6server.Serve(p.Address, func() tfprotov6.ProviderServer { return made })
}
