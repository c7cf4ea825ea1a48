"""Test files of rules: `<slug>.test.yml` beside the rule -> cases, and their documents.

What is written is in rules/TESTING.md. Nothing is evaluated here (that is
`app.usecases.rule_tests`), and no rule is read.

    series     the texts that give one value a document: 0+10x100
    schema     the keys of a test file
    derive     like, names of blocks: one case as written -> the cases that are run
    change     but: one fact of the documents changed
    fill       each: parameters filled in
    tree       the pieces that these three move
    suite      the nouns
    load       a file -> Suite, problems with their places
    documents  a block -> the documents of an index
"""
