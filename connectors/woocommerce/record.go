package woocommerce

import (
	"encoding/json"
	"strconv"
	"strings"
	"time"

	"kvart/app"
	"kvart/connectors/rest"
)

// head is what is looked at in every record.
type head struct {
	ID       json.RawMessage `json:"id"`
	Instance json.Number     `json:"instance_id"`
	Slug     string          `json:"slug"`
	Parent   json.Number     `json:"parent_id"`
	Status   json.RawMessage `json:"status"`
	WC       string          `json:"date_modified_gmt"`
	WP       string          `json:"modified_gmt"`
	Created  string          `json:"date_created_gmt"`
	Customer json.Number     `json:"customer_id"`
	Email    string          `json:"email"`
	Billing  struct {
		Email string `json:"email"`
		Phone string `json:"phone"`
		Last  string `json:"last_name"`
	} `json:"billing"`
}

// record makes a record of an element of a list.
func (so sort) record(parent string, text json.RawMessage) (rest.Record, error) {
	var h head
	r := rest.Record{JSON: text}
	if so.Name == "users" {
		return userRecord(text)
	}
	if err := json.Unmarshal(text, &h); err != nil {
		return r, broken(so.Name, err.Error())
	}
	r.ID = strings.Trim(string(h.ID), `"`)
	var status string
	if json.Unmarshal(h.Status, &status) == nil {
		r.Trashed = status == "trash"
	}
	switch so.Name {
	case "tax_classes":
		r.ID = h.Slug
	case "system_status":
		r.ID = "status"
	case "variations", "refunds":
		r.Parent = h.Parent.String()
	case "orders":
		if c := h.Customer.String(); c != "" && c != "0" {
			r.Mentions = map[string][]rest.Key{"customers": {{ID: c}}}
		}
	}
	if parent != "" {
		r.Parent = parent
	}
	if r.ID == "" || r.ID == "null" {
		return r, broken(so.Name, "an entry without an id")
	}
	if so.Personal && redacted(h.Email, h.Billing.Email, h.Billing.Phone, h.Billing.Last) {
		return r, app.Errorf(app.CodeShopRedacted, "woocommerce: read", "%s %s is blotted out", so.Name, r.ID).With("kind", so.Name).With("right", so.Read[0])
	}
	r.Modified = firstDate(h.WC, h.WP, h.Created)
	return r, nil
}

// userRecord drops what could open doors.
func userRecord(text json.RawMessage) (rest.Record, error) {
	var m map[string]json.RawMessage
	if err := json.Unmarshal(text, &m); err != nil {
		return rest.Record{}, broken("users", err.Error())
	}
	for f := range m {
		if strings.Contains(f, "pass") || strings.Contains(f, "token") || strings.Contains(f, "key") {
			delete(m, f)
		}
	}
	text, err := json.Marshal(m)
	if err != nil {
		return rest.Record{}, broken("users", err.Error())
	}
	return rest.Record{Key: rest.Key{ID: string(m["id"])}, JSON: text}, nil
}

// redacted reports whether a field was blotted out: by a plug-in for privacy,
// or for a user who may not see it.
func redacted(fields ...string) bool {
	for _, f := range fields {
		if strings.Contains(f, "***") || strings.Contains(strings.ToLower(f), "redacted") {
			return true
		}
	}
	return false
}

func firstDate(dates ...string) time.Time {
	for _, d := range dates {
		if t, err := time.Parse("2006-01-02T15:04:05", d); err == nil {
			return t
		}
	}
	return time.Time{}
}

// Origin implements [rest.Origin].
func (s *shop) Origin(_ rest.Kind, record map[string]any) string {
	list, _ := record["meta_data"].([]any)
	for _, el := range list {
		m, _ := el.(map[string]any)
		if m["key"] != originKey {
			continue
		}
		switch v := m["value"].(type) {
		case string:
			return v
		case json.Number:
			return v.String()
		}
	}
	return ""
}

// number writes an id the way the shop does.
func number(id string) any {
	if n, err := strconv.ParseInt(id, 10, 64); err == nil {
		return n
	}
	return id
}
