package framework

import (
	"fmt"
	"math/big"

	"github.com/hashicorp/terraform-plugin-go/tftypes"
)

// Object holds what is in a state, a plan or a configuration: nil, string, bool, float64, []any, Object (of maps too), or Unknown.
type Object = map[string]any

// Unknown stands for a value that is known only after something is applied.
type Unknown struct{}

// Text is a text that is set and known; else empty.
func Text(value any) string {
	text, _ := value.(string)
	return text
}

// Texts is a map of texts; nothing unless it is set and known.
func Texts(value any) map[string]string {
	texts := map[string]string{}
	members, _ := value.(Object)
	for key, member := range members {
		if text, isText := member.(string); isText {
			texts[key] = text
		}
	}
	return texts
}

// Truth is whether a flag is set; otherwise when nobody said.
func Truth(value any, otherwise bool) bool {
	if truth, isSet := value.(bool); isSet {
		return truth
	}
	return otherwise
}

// OfTexts makes a value of a map of texts.
func OfTexts(texts map[string]string) Object {
	object := Object{}
	for key, text := range texts {
		object[key] = text
	}
	return object
}

// Optional is nil where there is no text.
func Optional(text *string) any {
	if text == nil {
		return nil
	}
	return *text
}

func decode(value tftypes.Value) any {
	if !value.IsKnown() {
		return Unknown{}
	}
	if value.IsNull() {
		return nil
	}
	switch of := value.Type(); {
	case of.Is(tftypes.String):
		var text string
		must(value.As(&text))
		return text
	case of.Is(tftypes.Bool):
		var truth bool
		must(value.As(&truth))
		return truth
	case of.Is(tftypes.Number):
		var number big.Float
		must(value.As(&number))
		float, _ := number.Float64()
		return float
	case of.Is(tftypes.List{}), of.Is(tftypes.Set{}), of.Is(tftypes.Tuple{}):
		var items []tftypes.Value
		must(value.As(&items))
		list := make([]any, len(items))
		for i, item := range items {
			list[i] = decode(item)
		}
		return list
	}
	var members map[string]tftypes.Value
	must(value.As(&members))
	object := Object{}
	for name, member := range members {
		object[name] = decode(member)
	}
	return object
}

func encode(of tftypes.Type, value any) tftypes.Value {
	switch given := value.(type) {
	case nil:
		return tftypes.NewValue(of, nil)
	case Unknown:
		return tftypes.NewValue(of, tftypes.UnknownValue)
	case Object:
		return encodeObject(of, given)
	case []any:
		list, isList := of.(tftypes.List)
		if !isList {
			panic(fmt.Errorf("%s is no list", of))
		}
		items := make([]tftypes.Value, len(given))
		for i, item := range given {
			items[i] = encode(list.ElementType, item)
		}
		return tftypes.NewValue(of, items)
	}
	return tftypes.NewValue(of, value)
}

func encodeObject(of tftypes.Type, object Object) tftypes.Value {
	members := map[string]tftypes.Value{}
	switch t := of.(type) {
	case tftypes.Object:
		for name, inner := range t.AttributeTypes {
			members[name] = encode(inner, object[name])
		}
	case tftypes.Map:
		for name, member := range object {
			members[name] = encode(t.ElementType, member)
		}
	default:
		panic(fmt.Errorf("%s is no object", of))
	}
	return tftypes.NewValue(of, members)
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}
