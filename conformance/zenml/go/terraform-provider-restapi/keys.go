package main

import (
	"fmt"
	"reflect"
	"strconv"
	"strings"
)

// at is what lies at a path such as `metadata/items` in an answer; parts of lists go by number.
func at(data any, path string) (any, error) {
	current := data
	for _, part := range strings.Split(path, "/") {
		if part == "" {
			continue
		}
		switch inner := current.(type) {
		case map[string]any:
			member, isThere := inner[part]
			if !isThere {
				return nil, fmt.Errorf("failed to find '%s' of '%s' in the returned data", part, path)
			}
			current = member
		case []any:
			index, err := strconv.Atoi(part)
			if err != nil || index < 0 || index >= len(inner) {
				return nil, fmt.Errorf("there is no '%s' of '%s' in the returned list", part, path)
			}
			current = inner[index]
		default:
			return nil, fmt.Errorf("what is before '%s' of '%s' is not a map", part, path)
		}
	}
	return current, nil
}

func textAt(data any, path string) (string, error) {
	found, err := at(data, path)
	if err != nil {
		return "", err
	}
	switch value := found.(type) {
	case string:
		return value, nil
	case float64:
		return strconv.FormatFloat(value, 'f', -1, 64), nil
	case bool:
		return strconv.FormatBool(value), nil
	}
	return "", fmt.Errorf("what is at '%s' is neither a string nor a number: %T", path, found)
}

// delta lays what the server has over what was sent, except for what is ignored, which goes by paths such as `metadata.time`.
func delta(recorded, actual map[string]any, ignored []string, ignoresAdditions bool) map[string]any {
	result := map[string]any{}
	isIgnored := func(key string) bool {
		for _, one := range ignored {
			if one == key {
				return true
			}
		}
		return false
	}
	for key, was := range recorded {
		is := actual[key]
		inner, isMap := was.(map[string]any)
		innerIs, bothMaps := is.(map[string]any)
		switch {
		case isIgnored(key) || reflect.DeepEqual(was, is):
			result[key] = was
		case isMap && bothMaps:
			result[key] = delta(inner, innerIs, below(key, ignored), ignoresAdditions)
		default:
			result[key] = is
		}
	}
	for key, is := range actual {
		if _, isRecorded := recorded[key]; !isRecorded && !isIgnored(key) && !ignoresAdditions {
			result[key] = is
		}
	}
	return result
}

func below(key string, paths []string) []string {
	var inner []string
	for _, path := range paths {
		if rest, isBelow := strings.CutPrefix(path, key+"."); isBelow {
			inner = append(inner, rest)
		}
	}
	return inner
}

// withoutAbsent drops what is planned to be null and is not there.
func withoutAbsent(planned, state map[string]any) bool {
	isChanged := false
	for key, value := range planned {
		was, isThere := state[key]
		if value == nil && !isThere {
			delete(planned, key)
			isChanged = true
			continue
		}
		inner, isMap := value.(map[string]any)
		innerWas, bothMaps := was.(map[string]any)
		if isMap && bothMaps && withoutAbsent(inner, innerWas) {
			isChanged = true
		}
	}
	return isChanged
}
