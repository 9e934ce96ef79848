import Commands


