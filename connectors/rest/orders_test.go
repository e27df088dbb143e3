package rest

import "testing"

func TestOrderNumber(t *testing.T) {
	t.Parallel()
	for record, want := range map[string]int64{
		`{"id": 7, "number": "1042"}`: 1042, `{"number": 1042}`: 1042, `{"name": "#1042"}`: 1042, `{"number": "", "name": "#9"}`: 9,
		`{"name": "B-12"}`: 0, `{"code": "T3D6"}`: 0, `{"number": -4}`: 0, `not json`: 0, `{}`: 0,
	} {
		if got := orderNumber([]byte(record)); got != want {
			t.Errorf("%s: %d, want %d", record, got, want)
		}
	}
	if !newerID("10", "9") || newerID("9", "9") || !newerID("gid://shopify/Order/10", "gid://shopify/Order/9") {
		t.Error("ids are not in the order they were given out")
	}
}
