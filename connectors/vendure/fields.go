package vendure

import (
	"context"
	"regexp"
	"strings"
)

// relationAlias is before the name of a custom field that names other records.
const relationAlias = "kvartRelation_"

// customField is a field that a shop has added to an entity.
type customField struct {
	Name     string `json:"name"`
	Type     string `json:"type"`
	ReadOnly bool   `json:"readonly"`
	Fields   []struct {
		Name string `json:"name"`
	} `json:"fields"` // of a struct
}

// texts reports whether the field is part of translations.
func (f customField) texts() bool { return strings.HasPrefix(f.Type, "locale") }

const fieldsText = `query CustomFields {
 globalSettings { serverConfig { entityCustomFields { entityName customFields {
  ... on CustomField { name type readonly }
  ... on StructCustomFieldConfig { fields { ... on StructField { name } } }
 } } } }
}`

// learn asks which custom fields the shop has, once.
func (s *shop) learn(ctx context.Context) error {
	s.mu.Lock()
	known := s.custom != nil
	s.mu.Unlock()
	if known {
		return nil
	}
	var got struct {
		Settings struct {
			Config struct {
				Entities []struct {
					Name   string        `json:"entityName"`
					Fields []customField `json:"customFields"`
				} `json:"entityCustomFields"`
			} `json:"serverConfig"`
		} `json:"globalSettings"`
	}
	if err := s.c.query(ctx, fieldsText, nil, &got); err != nil {
		return s.about(kindSettings, err)
	}
	fields := map[string][]customField{}
	for _, e := range got.Settings.Config.Entities {
		fields[e.Name] = e.Fields
	}
	s.mu.Lock()
	s.custom = fields
	s.mu.Unlock()
	return nil
}

// plainName is what may stand in a question of GraphQL.
var plainName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// placeholder is where custom fields belong.
var placeholder = regexp.MustCompile(`@([A-Za-z]+)(\.texts)?`)

// selection puts the custom fields in their places.
func (s *shop) selection(fields string) string {
	s.mu.Lock()
	known := s.custom
	s.mu.Unlock()
	return placeholder.ReplaceAllStringFunc(fields, func(place string) string {
		entity, texts := strings.CutSuffix(strings.TrimPrefix(place, "@"), ".texts")
		var parts []string
		for _, f := range known[entity] {
			if f.texts() == texts && plainName.MatchString(f.Name) {
				parts = append(parts, f.selection())
			}
		}
		if len(parts) == 0 {
			return ""
		}
		return "customFields { " + strings.Join(parts, " ") + " }"
	})
}

func (f customField) selection() string {
	switch f.Type {
	case "relation":
		return relationAlias + f.Name + ": " + f.Name + " { id }"
	case "struct":
		var parts []string
		for _, sub := range f.Fields {
			if plainName.MatchString(sub.Name) {
				parts = append(parts, sub.Name)
			}
		}
		if len(parts) == 0 {
			return "__typename"
		}
		return f.Name + " { " + strings.Join(parts, " ") + " }"
	}
	return f.Name
}

// written are the custom fields of an entity that a program may set.
func (s *shop) written(entity string, fields map[string]any) map[string]any {
	s.mu.Lock()
	known := s.custom[entity]
	s.mu.Unlock()
	out := map[string]any{}
	for _, f := range known {
		if v, ok := fields[f.Name]; ok && !f.ReadOnly {
			out[f.Name] = v
		}
	}
	return out
}
