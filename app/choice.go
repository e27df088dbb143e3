package app

import (
	"context"
	"time"
)

// Candidate is a point that a restore could use, with what helps to choose.
type Candidate struct {
	Point Point `json:"point"`
	// Proposed is the one Kvart would take: the newest verified before the
	// trouble, not marked.
	Proposed bool `json:"proposed,omitempty"`
	// Unusual says why the change to it was unusual; "" when nothing was, or
	// nobody looked.
	Unusual Code `json:"unusual,omitempty"`
	// Rows counts everything that Stats count, -1 when they don't.
	Rows int64 `json:"rows"`
	// NewestOrder is the newest order's number; "" when it is not known.
	NewestOrder string `json:"newestOrder,omitempty"`
}

// StatNewestOrder is the key among [Stats] of the newest order's number.
const StatNewestOrder = "newest.order"

// CandidatesRequest asks which points could be restored.
type CandidatesRequest struct {
	Source string    `json:"source"` // name or ID
	Before time.Time `json:"before"` // none taken after it; zero for all
	Limit  int       `json:"limit"`  // 0 means 50
}

// SearchRequest asks which points had something.
type SearchRequest struct {
	Source string `json:"source"` // name or ID
	// Text is a path, or a part of a name: of a file, a table, or a record that
	// people know by a name or a number. Letters' case does not count.
	Text  string    `json:"text"`
	Since time.Time `json:"since"`
	Limit int       `json:"limit"` // of names; 0 means 50
}

// SearchHit is one name and the points that had it.
type SearchHit struct {
	Path string `json:"path"`
	Dir  bool   `json:"dir,omitempty"`
	// Shelf is set for a record of a [Catalogue], which its title or what stands
	// under it was found by; these are as in Last.
	Shelf string `json:"shelf,omitempty"`
	Title string `json:"title,omitempty"`
	Under string `json:"under,omitempty"`
	// First and Last are the oldest and the newest point, of those looked
	// through, that had it.
	First Point `json:"first"`
	Last  Point `json:"last"`
	// Now reports that the newest point of all has it.
	Now  bool  `json:"now"`
	Size int64 `json:"size"` // in Last
}

// SearchResult is what a search found.
type SearchResult struct {
	Hits []SearchHit `json:"hits"`
	// Looked is how many points were looked through, of Points: of a source whose
	// records have names, how many were opened for them; which of the others had
	// what was found is known all the same. All is false when the search was cut
	// short, by its limit or its time.
	Looked int  `json:"looked"`
	Points int  `json:"points"`
	All    bool `json:"all"`
}

// ChoiceService helps to choose what to bring back.
type ChoiceService interface {
	// Candidates lists a source's points, newest first.
	Candidates(ctx context.Context, r CandidatesRequest) ([]Candidate, error)
	// Search looks for a name in a source's points, newest first. It may take
	// up to half a minute.
	Search(ctx context.Context, r SearchRequest) (SearchResult, error)
}
