package rest

import (
	"reflect"
	"testing"

	"kvart/app"
)

// TestSee: the owner is told what differs by the names people use, and of people
// only how many.
func TestSee(t *testing.T) {
	t.Parallel()
	op := func(do Action, id string, full map[string]any) Op { return Op{Do: do, Was: id, Full: full} }
	for name, tt := range map[string]struct {
		kind Kind
		ops  []Op
		want []app.Seen
	}{
		"same": {Kind{Name: "products"}, nil, []app.Seen{{Code: app.SeenRecordsSame, Kind: "products", Count: 400}}},
		"products": {Kind{Name: "products"}, []Op{
			op(DoUpdate, "1", map[string]any{"name": "Espresso"}), op(DoUpdate, "2", map[string]any{"name": "Bryggkaffe"}),
			op(DoCreate, "3", map[string]any{"name": "Te"}), op(DoPublish, "4", map[string]any{"name": "Kakao"}), op(DoDelete, "5", nil),
		}, []app.Seen{
			{Code: app.SeenRecordsDiffer, Kind: "products", Count: 2, Of: 400, Names: []string{"Espresso", "Bryggkaffe"}},
			{Code: app.SeenRecordsMissing, Kind: "products", Count: 2, Of: 400, Names: []string{"Te", "Kakao"}},
			{Code: app.SeenRecordsExtra, Kind: "products", Count: 1, Of: 400, Names: []string{"5"}},
		}},
		"orders": {
			Kind{Name: "orders", Personal: true},
			[]Op{op(DoUpdate, "7", map[string]any{"number": "1042", "email": "kim@example.com"})},
			[]app.Seen{{Code: app.SeenRecordsDiffer, Kind: "orders", Count: 1, Of: 400, Names: []string{"#1042"}}},
		},
		"people": {
			Kind{Name: "customers", Personal: true},
			[]Op{op(DoUpdate, "7", map[string]any{"first_name": "Kim", "email": "kim@example.com"}), op(DoCreate, "8", map[string]any{"email": "bo@example.com"})},
			[]app.Seen{
				{Code: app.SeenRecordsDiffer, Kind: "customers", Count: 1, Of: 400, More: 1},
				{Code: app.SeenRecordsMissing, Kind: "customers", Count: 1, Of: 400, More: 1},
			},
		},
	} {
		var c app.Check
		see(&c, tt.kind, tt.ops, 400)
		if !reflect.DeepEqual(c.Seen, tt.want) {
			t.Errorf("%s: the owner is told\n%+v, want\n%+v", name, c.Seen, tt.want)
		}
	}
}
