package app

import (
	"context"
	"io/fs"
)

// Shelf is one sort of things that a point holds: a shop's products, the rows
// of a table.
type Shelf struct {
	Code string `json:"code"` // "products", or a table's name; unique within the point
	// Known reports that its name is a translation keyed "shop.kind.<code>"; the
	// name is the code itself otherwise.
	Known bool `json:"known,omitempty"`
	// Parent is the shelf whose records these belong to, such as the notes on
	// orders; "" for those that stand for themselves.
	Parent string `json:"parent,omitempty"`
	Count  int64  `json:"count"` // of its records; -1 when not counted
	// Columns are the headings of [Record.Cells], for tables.
	Columns []string `json:"columns,omitempty"`
	// Export is what [ExportRequest.What] calls it; "" when it can't be exported.
	Export string `json:"export,omitempty"`
	// Path is what a restore of the whole shelf names; "" when it can't be
	// restored by itself.
	Path string `json:"path,omitempty"`
}

// Record is one thing on a shelf.
type Record struct {
	// Path is the file of the point that holds it, which a restore of just this
	// names; "" for a row of a table.
	Path  string `json:"path,omitempty"`
	Title string `json:"title"`
	// Under says more of it: a number, a price, an address.
	Under   string   `json:"under,omitempty"`
	Picture string   `json:"picture,omitempty"` // a file of the point, as [PathRequest.Path] names it; "" for none
	Cells   []string `json:"cells,omitempty"`   // of a row, cut where they are long
}

// RecordField is one field of a record: its name as the platform has it, with a
// translation keyed "field.<name>" where it is a common one, and its value for
// people: "129.00 SEK", lists joined, markup taken out, cut where it is long.
// Times are as RFC 3339 has them, "true" and "false" stand for yes and no: for
// the window to write as the language does.
type RecordField struct {
	Name  string `json:"name"`
	Value string `json:"value"`
	// Raw is the value whole, the same for what means the same: what decides
	// whether two sides differ. It stays in the guard.
	Raw string `json:"-"`
	// With is the value on the other side of a comparison, and Differs whether
	// it is another.
	With    string `json:"with,omitempty"`
	Differs bool   `json:"differs,omitempty"`
}

// Catalogue is a point as people think of it. Its methods may be called from any
// goroutine.
type Catalogue interface {
	Shelves(ctx context.Context) ([]Shelf, error)
	// Records returns the records of a shelf whose name, number or other main
	// fields hold text, in any case of letters ("" for all), in the shelf's own
	// order: limit of them from offset on. [CodePathUnknown] when there is no
	// such shelf. A shelf that takes long to read is read bit by bit: see
	// [RecordsPage.Left].
	Records(ctx context.Context, shelf, text string, offset, limit int) (RecordsPage, error)
	// Record returns one with its fields, the most telling first;
	// [CodePathUnknown] when the point does not hold it.
	Record(ctx context.Context, path string) (Record, []RecordField, error)
	Close() error
}

// Cataloguer is implemented by connectors whose points hold things that people
// know by a name or a number.
type Cataloguer interface {
	// Catalogue opens a point, using the folder tmp for what it has to unpack;
	// the caller removes tmp after Close.
	Catalogue(ctx context.Context, from fs.FS, tmp string) (Catalogue, error)
}

// NeighbourCatalogue is a [Catalogue] that helps to open another point of its
// source: what is the same in both is not read again.
type NeighbourCatalogue interface {
	// Neighbour is [Cataloguer.Catalogue] for the other point. Neither needs the
	// other to stay open.
	Neighbour(ctx context.Context, from fs.FS, tmp string) (Catalogue, error)
}

// LiveReader is a [Cataloguer] whose sources can be asked for one record as it
// is now, cheaply: by a request or two.
type LiveReader interface {
	// LiveRecord returns the record that a path of a point of the source names,
	// as the source has it now; [CodePathUnknown] when it has it no more.
	LiveRecord(ctx context.Context, a Access, from fs.FS, path string) (Record, []RecordField, error)
}

// RecordsRequest asks for a part of a shelf.
type RecordsRequest struct {
	Source string  `json:"source"`
	Point  PointID `json:"point,omitempty"`
	Shelf  string  `json:"shelf"`
	Text   string  `json:"text,omitempty"`
	Offset int     `json:"offset,omitempty"`
	Limit  int     `json:"limit,omitempty"` // 0 means 100; at most 1,000
}

// RecordsPage is a part of a shelf.
type RecordsPage struct {
	Records []Record `json:"records"`
	Total   int64    `json:"total"` // that match, of those read
	// Left is how many records of the shelf are yet to be read: the first time a
	// large shelf is asked for, an answer comes after about a second with what
	// was read by then, in the order it was read in, and asking again goes on
	// from there. 0 means that this is all; while it isn't known how many there
	// are, it is at least 1.
	Left int64 `json:"left,omitempty"`
}

// RecordRequest names a record, and what to hold it against.
type RecordRequest struct {
	Source string  `json:"source"`
	Point  PointID `json:"point,omitempty"`
	Path   string  `json:"path"`
	// With is another point, or [Live]; "" for none.
	With PointID `json:"with,omitempty"`
}

// RecordView is one record, and how it differs from what it is held against.
type RecordView struct {
	Record Record        `json:"record"`
	Fields []RecordField `json:"fields"` // the most telling first
	// Gone reports that the other side does not have it.
	Gone bool `json:"gone,omitempty"`
}

// CatalogueService shows points as people think of them. The first question
// about a point may take seconds, where it has to be unpacked; an opened point
// is kept for a few minutes after the last.
type CatalogueService interface {
	// Shelves lists what a point holds, what people ask for most first. Its path
	// is not looked at. Sources that have no [Cataloguer] have no shelves: their
	// files are all there is.
	Shelves(ctx context.Context, r PathRequest) ([]Shelf, error)
	// Records lists a part of a shelf, or of what on it holds a text.
	Records(ctx context.Context, r RecordsRequest) (RecordsPage, error)
	// Record returns one record and, beside it, what it is held against;
	// [CodePathUnknown] when the point does not hold it.
	Record(ctx context.Context, r RecordRequest) (RecordView, error)
}
