package app

import (
	"slices"
	"strconv"
	"strings"
)

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
	FieldChoice FieldType = "choice" // one of [Field.Choices]
	FieldNumber FieldType = "number" // a whole number, not negative
)

// Field is one thing a form asks. Its label and hint are translations keyed
// "source.<kind>.field.<key>", or "storage.…", and the same with ".hint".
type Field struct {
	Key      string    `json:"key"`
	Type     FieldType `json:"type"`
	Required bool      `json:"required,omitempty"`
	Default  string    `json:"default,omitempty"`
	// Choices are what a [FieldChoice] may be. Their words are translations
	// keyed like the field's own, with "."+choice.
	Choices []string `json:"choices,omitempty"`
	// Multiline secrets are files pasted or picked whole: a private key.
	Multiline bool `json:"multiline,omitempty"`
	// Advanced fields are shown only when asked for: most owners need none.
	Advanced bool `json:"advanced,omitempty"`
}

// Preset fills in fields of a kind for one well-known provider, so that the
// owner need not know its addresses. Its words are translations keyed
// "storage.<kind>.preset.<key>", and the same with ".hint": where to find the
// keys, and what to tick when the bucket is made.
type Preset struct {
	Key string `json:"key"`
	// Settings are what the choice fills in. "{region}" in an endpoint stands
	// for the region field.
	Settings map[string]string `json:"settings"`
	// Regions are the provider's, the likeliest first; none when it has none.
	Regions []string `json:"regions,omitempty"`
	// CanLock reports that the provider's buckets can refuse deletion.
	CanLock bool `json:"canLock,omitempty"`
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

	// Database reports that sources are databases on a server, which can be
	// restored under a new name beside the original: [Target.Database].
	Database bool `json:"database,omitempty"`
	// Users reports that the connector is a [Granter]; source kinds only.
	Users bool `json:"users,omitempty"`
	// Pages reports that the connector is a [Publisher]; source kinds only. The
	// guard fills it in.
	Pages bool `json:"pages,omitempty"`

	// Hosted reports that sources are shops on a platform that others run;
	// source kinds only.
	Hosted bool `json:"hosted,omitempty"`

	OffSite bool `json:"offSite,omitempty"` // storage only: lies outside the shop's premises
	CanLock bool `json:"canLock,omitempty"` // storage only: can refuse deletion for a time

	// Presets are chosen by the field "preset"; storage only.
	Presets []Preset `json:"presets,omitempty"`
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
		if v := settings[f.Key]; v != "" {
			if err := f.check(v); err != nil {
				return err
			}
		}
		if !f.Required {
			continue
		}
		if f.Type == FieldSecret && secrets[f.Key].IsZero() || f.Type != FieldSecret && settings[f.Key] == "" {
			return Errorf(CodeUsage, "check settings", "%s needs %q", k.Kind, f.Key).With("field", f.Key)
		}
	}
	return nil
}

// check tells a value the field can hold from one it can't.
func (f Field) check(v string) error {
	switch f.Type {
	case FieldChoice:
		if !slices.Contains(f.Choices, v) {
			choices := strings.Join(f.Choices, ", ")
			return Errorf(CodeUsage, "check settings", "%s can't be %q; it can be %s", f.Key, v, choices).
				With("field", f.Key).With("choices", choices)
		}
	case FieldNumber:
		if n, err := strconv.Atoi(v); err != nil || n < 0 {
			return Errorf(CodeUsage, "check settings", "%s is no whole number: %q", f.Key, v).With("field", f.Key)
		}
	case FieldSwitch:
		if v != "true" && v != "false" {
			return Errorf(CodeUsage, "check settings", "%s is true or false, not %q", f.Key, v).With("field", f.Key).With("choices", "true, false")
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
