"""TeXML: what exists by the documents (tables), what arrived (document), what is done with it (run and its verbs)."""
