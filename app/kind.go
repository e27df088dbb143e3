package app

// Kind names a kind of source or of storage: "sqlite", "folder", "s3".
type Kind string

// FieldType tells a form how to ask for a field.
type FieldType string

// Field types.
const (
	FieldText   FieldType = "text"
	FieldFile   FieldType = "file"   // path of an existing file
	FieldFolder FieldType = "folder" // path of a folder
	FieldLines  FieldType = "lines"  // one value a line
	FieldSwitch FieldType = "switch" // "true" or "false"
	FieldSecret FieldType = "secret" // goes to the secret store, never to settings
)

// Field is one thing a form asks. Its label and hint are translations keyed
// "source.<kind>.field.<key>", or "storage.…", and the same with ".hint".
type Field struct {
	Key      string    `json:"key"`
	Type     FieldType `json:"type"`
	Required bool      `json:"required,omitempty"`
	Default  string    `json:"default,omitempty"`
}

// KindSpec describes a kind of source or storage as data, so that forms and
// the command line need no code per kind. Its title and hint are translations
// keyed "source.<kind>", or "storage.<kind>", and the same with ".hint".
type KindSpec struct {
	Kind   Kind    `json:"kind"`
	Fields []Field `json:"fields"`

	// Order is a source kind's place in a full recovery, lower first:
	// databases and tills, then files.
	Order int `json:"order,omitempty"`

	OffSite bool `json:"offSite,omitempty"` // storage only: lies outside the shop's premises
	CanLock bool `json:"canLock,omitempty"` // storage only: can refuse deletion for a time
}

// Field returns the field with the given key.
func (k KindSpec) Field(key string) (Field, bool) {
	for _, f := range k.Fields {
		if f.Key == key {
			return f, true
		}
	}
	return Field{}, false
}

// Forms is every kind of source and storage this guard knows.
type Forms struct {
	Sources  []KindSpec `json:"sources"`
	Storages []KindSpec `json:"storages"`
}

// CheckSettings returns a [CodeUsage] error when settings or secrets name a
// field the kind does not have, or lack one it requires; the error's args
// "field" and "choices" say which.
func (k KindSpec) CheckSettings(settings map[string]string, secrets Secrets) error {
	for key := range settings {
		if f, ok := k.Field(key); !ok || f.Type == FieldSecret {
			return k.badField(key)
		}
	}
	for key := range secrets {
		if key == PassphraseKey {
			continue
		}
		if f, ok := k.Field(key); !ok || f.Type != FieldSecret {
			return k.badField(key)
		}
	}
	for _, f := range k.Fields {
		if !f.Required {
			continue
		}
		if f.Type == FieldSecret && secrets[f.Key].IsZero() || f.Type != FieldSecret && settings[f.Key] == "" {
			return Errorf(CodeUsage, "check settings", "%s needs %q", k.Kind, f.Key).With("field", f.Key)
		}
	}
	return nil
}

func (k KindSpec) badField(key string) error {
	var choices string
	for i, f := range k.Fields {
		if i > 0 {
			choices += ", "
		}
		choices += f.Key
	}
	return Errorf(CodeUsage, "check settings", "%s has no field %q; it has %s", k.Kind, key, choices).
		With("field", key).With("choices", choices)
}
