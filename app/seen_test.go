package app

import (
	"encoding/json"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// TestCheck_See: what is seen of the same is added up, and only the first few of
// its names are kept.
func TestCheck_See(t *testing.T) {
	t.Parallel()
	var c Check
	for _, table := range []string{"kvitto", "artikel", "kund", "lager", "moms"} {
		c.See(RowsOff(table, 490, 500))
	}
	c.See(RowsOff("kassa", 7, 5))
	c.See(RowsOff("", 7, 9))
	c.See(Seen{Code: SeenLoginsLost, Count: 4, Names: []string{"a", "b", "c", "d"}})
	c.See(Seen{Code: SeenRecordsSame, Kind: "products", Count: 2})
	c.See(Seen{Code: SeenRecordsSame, Kind: "orders", Count: 3})
	c.See(Named(SeenFilesDiffer, strings.Repeat("å", 300)+"\nslut"))
	c.See(Named(SeenFilesMissing, "a\x1b[31m\tb\u202ec\r\n"))
	want := []Seen{
		{Code: SeenRowsMissing, Count: 52, Names: []string{"kvitto", "artikel", "kund"}, More: 2},
		{Code: SeenRowsExtra, Count: 2, Names: []string{"kassa"}},
		{Code: SeenLoginsLost, Count: 4, Names: []string{"a", "b", "c"}, More: 1},
		{Code: SeenRecordsSame, Kind: "products", Count: 2},
		{Code: SeenRecordsSame, Kind: "orders", Count: 3},
		{Code: SeenFilesDiffer, Count: 1, Names: []string{strings.Repeat("å", 59) + "…"}},
		{Code: SeenFilesMissing, Count: 1, Names: []string{"a[31m bc"}},
	}
	if !reflect.DeepEqual(c.Seen, want) {
		t.Errorf("seen\n%+v, want\n%+v", c.Seen, want)
	}
	if c.OK {
		t.Error("what is seen doesn't make a check pass")
	}
}

// TestCheck_written: what is seen of a check is kept as it is, and a check that
// an earlier program kept is read as it was.
func TestCheck_written(t *testing.T) {
	t.Parallel()
	c := Check{Source: "Kassan", Code: "rows", Detail: "1 tables, 499 rows", Part: "lager.db", Counted: Counted{Tables: 1, Rows: 499}}
	c.See(RowsOff("kvitto", 499, 500))
	c.See(Seen{Code: SeenRecordsUnread, Kind: "orders", Why: CodeSourceDenied})
	b, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	var again Check
	if err := json.Unmarshal(b, &again); err != nil || !reflect.DeepEqual(again, c) {
		t.Errorf("%s is read as %+v, %v", b, again, err)
	}
	const old = `{"source":"Kassan","code":"rows","ok":false,"detail":"1 tables, 499 rows","counted":{"tables":1,"rows":499}}`
	if again = (Check{}); json.Unmarshal([]byte(old), &again) != nil || again.Seen != nil || again.Detail != "1 tables, 499 rows" || again.Counted.Rows != 499 {
		t.Errorf("an earlier program's is read as %+v", again)
	}
	if b, err = json.Marshal(again); err != nil || string(b) != old {
		t.Errorf("an earlier program's is written as %s, %v", b, err)
	}
}

func TestSeenCodes_eachOnce(t *testing.T) {
	t.Parallel()
	all := SeenCodes()
	if len(all) < 50 {
		t.Fatalf("only %d codes", len(all))
	}
	for i, c := range all {
		if c == "" || slices.Contains(all[i+1:], c) {
			t.Errorf("%q is listed twice", c)
		}
	}
}
