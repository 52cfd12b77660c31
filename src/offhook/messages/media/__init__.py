"""What comes with texts (MMS): told by the callback, fetched by a job, kept, and shown (S5).

    kept = await keeping.expect(session, message, sms.media)     # in the text's own transaction
    found = await keeping.get(session, team_id, media_id)        # for the page and REST
    return serving.response(found)

The carrier's word for what a file is counts for nothing: `sniffing` looks at its first bytes, and
only what it knows to be a picture, a sound or a film is shown in a page.
"""
