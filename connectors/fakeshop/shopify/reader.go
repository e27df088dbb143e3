package shopify

import (
	"sync"

	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/parser"
)

// Reader reads operations and holds them to a description of the API. It
// remembers what it has read, and is safe for concurrent use.
type Reader struct {
	schema *ast.Schema

	mu   sync.Mutex
	good map[string]*ast.QueryDocument
}

// NewReader returns a reader; with no schema it only reads.
func NewReader(schema *ast.Schema) *Reader {
	return &Reader{schema: schema, good: map[string]*ast.QueryDocument{}}
}

func (r *Reader) read(query string) (*ast.QueryDocument, error) {
	r.mu.Lock()
	doc := r.good[query]
	r.mu.Unlock()
	if doc != nil {
		return doc, nil
	}
	if r.schema == nil {
		return parser.ParseQuery(&ast.Source{Input: query})
	}
	doc, list := gqlparser.LoadQueryWithRules(r.schema, query, nil)
	if len(list) > 0 {
		return nil, list
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.good[query] = doc
	return doc, nil
}
